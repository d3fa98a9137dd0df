from kecoa.errors import *
