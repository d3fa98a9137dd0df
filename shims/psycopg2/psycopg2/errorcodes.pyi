from kecoa.errorcodes import *
