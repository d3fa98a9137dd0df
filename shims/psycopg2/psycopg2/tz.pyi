from kecoa.tz import *
