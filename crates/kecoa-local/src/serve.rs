//! The process that serves: it owns the database server and the endpoint in front of it.

mod cockroach;
mod context;
mod postgres;

use kecoa_faults::draw_seed;
use kecoa_server::secret::redacted;
use kecoa_server::serving::{LOCK_TIMEOUT, Mode, Serving};

use crate::error::Error;
use crate::options::{Engine, Options};
use crate::running::Running;
use crate::service::SERVICE;
use crate::state::{Details, FaultState, State};
use crate::{launch, layout};
use context::Context;

/// Serves until stopped by SIGTERM, SIGINT or SIGHUP, or until the home is removed. Must be
/// the business of a whole process: it installs signal handlers.
///
/// `ready` is called once, when clients are accepted.
///
/// # Errors
///
/// When the endpoint cannot start, already runs, or its database server keeps ending.
pub fn serve(options: &Options, mode: Mode, ready: &mut dyn FnMut(&Running)) -> Result<(), Error> {
    let home = layout::create(options)?;
    let shared = launch::keep_folder(&home, options)?;
    let details = |previous: Option<&State>| details(options, previous);
    let Some(serving) =
        Serving::begin(&home, mode, options.timeout, options.waiting.as_ref(), details)?
    else {
        return Err(match launch::url(options) {
            Ok(url) => {
                Error::RunsDifferently { url: redacted(&url), what: "in the background".to_owned() }
            }
            Err(_) => {
                let lock = home.serve_lock();
                let waited = LOCK_TIMEOUT;
                kecoa_server::Error::Busy { service: &SERVICE, lock, waited }.into()
            }
        });
    };
    let mut context = Context { options, serving, ready };
    context.details().notes.extend(shared);
    let ended = context.with_runtime(|context, runtime, signals| match options.engine {
        Engine::Postgres => context.run_postgres(runtime, signals),
        Engine::Cockroach => context.run_cockroach(runtime, signals),
    });
    let mut serving = context.serving;
    match ended {
        Ok(()) => Ok(serving.end(None)?),
        // It was told to stop before it was ready: that is no failure to be kept.
        Err(error @ Error::Service(kecoa_server::Error::Interrupted { .. })) => {
            serving.end(None)?;
            Err(error)
        }
        Err(error) => {
            serving.state.details.server = None;
            serving.end(Some(error.to_string()))?;
            Err(error)
        }
    }
}

/// What is known at the beginning. The server and the port of the process before are still true if we
/// are killed before we know better.
fn details(options: &Options, previous: Option<&State>) -> Details {
    let mut details = Details::starting(options.engine);
    details.open = options.no_password;
    details.server = previous.and_then(|previous| previous.details.server.clone());
    details.port = previous.and_then(|previous| previous.details.port);
    details.faults = options.faults.as_ref().map(|faults| FaultState {
        plan: faults.plan.to_string(),
        seed: faults.seed.unwrap_or_else(draw_seed),
    });
    details
}
