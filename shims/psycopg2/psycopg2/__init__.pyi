from kecoa import *
from kecoa import (
    connect as connect,
    errorcodes as errorcodes,
    errors as errors,
    extensions as extensions,
    extras as extras,
    pool as pool,
    sql as sql,
    tz as tz,
)
