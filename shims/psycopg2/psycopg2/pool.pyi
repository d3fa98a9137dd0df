from kecoa.pool import *
