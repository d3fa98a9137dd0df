//! The registry: every class, function and dictionary of the module by its name.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::convert::{codec, dump, load, typecaster};
use crate::dbapi::cursor::overlap;
use crate::dbapi::{
    adapters, connection, cursor, lobject, notify, pipeline, replication, wait_callback,
};
use crate::errors::{error, exception};
use crate::{aio, arrow, functions, observe, retry};

/// Fills the module.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__doc__", PyString::new(py, "psycopg2's C module, in Rust."))?;
    module.add("__version__", functions::VERSION)?;
    module.add("__libpq_version__", functions::LIBPQ_VERSION)?;
    module.add("apilevel", "2.0")?;
    module.add("threadsafety", 2)?;
    module.add("paramstyle", "pyformat")?;
    module.add("REPLICATION_PHYSICAL", replication::PHYSICAL)?;
    module.add("REPLICATION_LOGICAL", replication::LOGICAL)?;
    exception::install(module)?;
    error::install(module)?;
    add_classes(module)?;
    add_functions(module)?;
    load::CODEC_OF_CURSOR.set(py, cursor::codec_of)?;
    codec::install(module)?;
    typecaster::install(module)?;
    module.add("binary_types", PyDict::new(py))?;
    adapters::install(module)?;
    dump::registered::install(module)
}

fn add_classes(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<exception::Diagnostics>()?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<connection::info::ConnectionInfo>()?;
    module.add_class::<lobject::LargeObject>()?;
    module.add_class::<cursor::Cursor>()?;
    module.add_class::<cursor::description::Column>()?;
    module.add_class::<cursor::stream::RowStream>()?;
    module.add_class::<pipeline::Pipeline>()?;
    module.add_class::<arrow::ArrowResult>()?;
    module.add_class::<replication::ReplicationConnection>()?;
    module.add_class::<replication::ReplicationCursor>()?;
    module.add_class::<replication::ReplicationMessage>()?;
    module.add_class::<notify::Notify>()?;
    module.add("typecaster", module.py().get_type::<typecaster::Typecaster>())?;
    module.add_class::<aio::AsyncOpening>()?;
    module.add_class::<aio::AsyncLink>()?;
    aio::AsyncRows::install(module.py());
    module.add_class::<aio::AsyncRows>()?;
    module.add_class::<retry::RetryPolicy>()?;
    module.add_class::<retry::Attempts>()
}

fn add_functions(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(dump::protocol::adapt, module)?,
        wrap_pyfunction!(typecaster::new_type, module)?,
        wrap_pyfunction!(typecaster::new_array_type, module)?,
        wrap_pyfunction!(typecaster::new_binary_type, module)?,
        wrap_pyfunction!(functions::register_type, module)?,
        wrap_pyfunction!(functions::_connect, module)?,
        wrap_pyfunction!(functions::parse_dsn, module)?,
        wrap_pyfunction!(functions::_refuse_misread, module)?,
        wrap_pyfunction!(functions::quote_ident, module)?,
        wrap_pyfunction!(functions::libpq_version, module)?,
        wrap_pyfunction!(wait_callback::set_wait_callback, module)?,
        wrap_pyfunction!(wait_callback::get_wait_callback, module)?,
        wrap_pyfunction!(functions::main, module)?,
        wrap_pyfunction!(overlap::_set_overlap, module)?,
        wrap_pyfunction!(overlap::_rows_made_ahead, module)?,
        wrap_pyfunction!(retry::failure_facts, module)?,
        wrap_pyfunction!(observe::_counters, module)?,
        wrap_pyfunction!(observe::_set_listener, module)?,
        wrap_pyfunction!(observe::_listening, module)?,
        wrap_pyfunction!(observe::_without_values, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
