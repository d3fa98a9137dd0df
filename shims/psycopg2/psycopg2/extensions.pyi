from kecoa.extensions import *
