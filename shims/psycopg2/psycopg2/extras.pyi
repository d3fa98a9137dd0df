from kecoa.extras import *
