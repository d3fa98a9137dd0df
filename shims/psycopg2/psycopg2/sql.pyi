from kecoa.sql import *
