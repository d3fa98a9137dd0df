//! `movr`: vehicles are rented and given back. No vehicle has two open rides, and no ride is lost.

use fastrand::Rng;
use kecoa::Row;
use kecoa::blocking::Client;

use crate::distribution::{Distribution, Drawing};
use crate::error::{BodyError, Error};
use crate::invariant::{self, Check};
use crate::options::Name;
use crate::random::mix;
use crate::schema::{self, Settings, setting};
use crate::statements::Statements;

const CITIES: [&str; 9] = [
    "Amsterdam",
    "Boston",
    "Jakarta",
    "Los Angeles",
    "New York",
    "Paris",
    "Rome",
    "San Francisco",
    "Seattle",
];
/// How many users there are for each vehicle.
const USERS: i64 = 2;
/// How many vehicles of a city are shown.
const SHOWN: i64 = 25;

const TABLES: [&str; 3] = [
    "users (id INT8 PRIMARY KEY, city TEXT NOT NULL, name TEXT NOT NULL)",
    "vehicles (id INT8 PRIMARY KEY, city TEXT NOT NULL, type TEXT NOT NULL, available BOOL NOT NULL, \
     rides INT8 NOT NULL)",
    "rides (id INT8 PRIMARY KEY, vehicle INT8 NOT NULL, rider INT8 NOT NULL, started TIMESTAMPTZ NOT NULL, \
     ended TIMESTAMPTZ, revenue INT8)",
];
const FIND: &str = "SELECT available FROM kecoa_movr.vehicles WHERE id = $1";
const TAKE: &str = "\
    UPDATE kecoa_movr.vehicles \
    SET available = false, rides = rides + 1 WHERE id = $1";
const START: &str = "\
    INSERT INTO kecoa_movr.rides (id, vehicle, rider, started) \
    VALUES ($1, $2, $3, now())";
const OPEN: &str = "\
    SELECT id, vehicle FROM kecoa_movr.rides \
    WHERE rider = $1 AND ended IS NULL ORDER BY id LIMIT 1";
const END: &str = "UPDATE kecoa_movr.rides SET ended = now(), revenue = $2 WHERE id = $1";
const GIVE_BACK: &str = "UPDATE kecoa_movr.vehicles SET available = true WHERE id = $1";
const BROWSE: &str = "\
    SELECT id, type FROM kecoa_movr.vehicles \
    WHERE city = $1 AND available ORDER BY id LIMIT $2";
const SIGN_UP: &str = "INSERT INTO kecoa_movr.users (id, city, name) VALUES ($1, $2, $3)";

/// Vehicles with two open rides.
const TWICE: &str = "\
    SELECT vehicle, count(*)::INT8 FROM kecoa_movr.rides WHERE ended IS NULL \
    GROUP BY vehicle HAVING count(*) > 1 ORDER BY vehicle";
/// Vehicles that are free and have an open ride, or the other way round.
const WRONG: &str = "\
    SELECT v.id, v.available FROM kecoa_movr.vehicles AS v \
    LEFT JOIN kecoa_movr.rides AS r ON r.vehicle = v.id AND r.ended IS NULL \
    WHERE v.available = (r.id IS NOT NULL) ORDER BY v.id";
/// Vehicles that have not as many rides as they count.
const LOST: &str = "\
    SELECT v.id, v.rides, count(r.id)::INT8 FROM kecoa_movr.vehicles AS v \
    LEFT JOIN kecoa_movr.rides AS r ON r.vehicle = v.id \
    GROUP BY v.id, v.rides HAVING v.rides <> count(r.id) ORDER BY v.id";
/// Rides that there are, and those that the workers started.
const COUNT: &str = "\
    SELECT count(*)::INT8, (SELECT coalesce(sum(writes), 0)::INT8 FROM kecoa_movr.workers) \
    FROM kecoa_movr.rides";

/// A company that is set up.
#[derive(Debug)]
pub(crate) struct Movr {
    vehicles: u64,
    users: u32,
    /// The number of the run, so that its rides and users are new ones.
    run: i64,
    drawing: Drawing,
}

/// What a user does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Start { ride: i64, vehicle: i64, rider: i64 },
    End { rider: i64, revenue: i64 },
    Browse { city: &'static str },
    SignUp { user: i64, city: &'static str },
}

/// Makes and fills the tables.
pub(crate) fn init(
    client: &mut Client,
    vehicles: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    schema::create(client, Name::Movr, &TABLES)?;
    client.batch("CREATE INDEX vehicles_by_city ON kecoa_movr.vehicles (city)")?;
    client.batch("CREATE INDEX rides_by_rider ON kecoa_movr.rides (rider)")?;
    let cities = CITIES.map(|city| format!("'{city}'")).join(", ");
    let city = |id| format!("(ARRAY[{cities}])[1 + {id} % {}]", CITIES.len());
    let insert = format!(
        "INSERT INTO kecoa_movr.users (id, city, name) SELECT id - 1, {}, 'user ' || id::TEXT \
         FROM generate_series($1::INT8, $2::INT8) AS g (id)",
        city("id")
    );
    schema::fill(client, &insert, vehicles * USERS, &mut |_| {})?;
    let insert = format!(
        "INSERT INTO kecoa_movr.vehicles (id, city, type, available, rides) \
         SELECT id - 1, {}, (ARRAY['bike', 'scooter', 'skateboard'])[1 + id % 3], true, 0 \
         FROM generate_series($1::INT8, $2::INT8) AS g (id)",
        city("id")
    );
    schema::fill(client, &insert, vehicles, progress)?;
    schema::complete(client, Name::Movr, &[("vehicles", vehicles), ("users", vehicles * USERS)])
}

impl Movr {
    pub(crate) fn new(
        settings: &Settings,
        distribution: Option<Distribution>,
        run: i64,
    ) -> Result<Movr, Error> {
        let vehicles = setting(settings, "vehicles", Name::Movr)?.unsigned_abs();
        let users = setting(settings, "users", Name::Movr)?;
        Ok(Movr {
            vehicles,
            users: u32::try_from(users).unwrap_or(u32::MAX).max(1),
            run,
            drawing: Drawing::new(distribution.unwrap_or(Distribution::Uniform), vehicles),
        })
    }

    /// Each worker rides as one user.
    pub(crate) fn draw(&self, random: &mut Rng, worker: u32) -> Action {
        let rider = i64::from(worker % self.users);
        let city = CITIES.get(random.usize(..CITIES.len())).copied().unwrap_or("Rome");
        match random.u32(..100) {
            0..40 => Action::Start {
                ride: self.new_id(random),
                vehicle: self.drawing.draw(random, self.vehicles).cast_signed(),
                rider,
            },
            40..80 => Action::End { rider, revenue: random.i64(1..100) },
            80..95 => Action::Browse { city },
            _ => Action::SignUp { user: self.new_id(random), city },
        }
    }

    /// A number that no other run has drawn, though its seed may be the same; above those of the set-up.
    fn new_id(&self, random: &mut Rng) -> i64 {
        let drawn = mix(random.u64(..) ^ self.run.cast_unsigned());
        ((drawn >> 2) | 1 << 61).cast_signed()
    }

    pub(crate) async fn run(
        &self,
        action: &Action,
        tx: &mut impl Statements,
    ) -> Result<(), BodyError> {
        match action {
            Action::Start { ride, vehicle, rider } => {
                let available: bool = tx.query_one(FIND, &[vehicle]).await?.get(0)?;
                if !available {
                    return Err(BodyError::Refused("vehicle taken".to_owned()));
                }
                tx.execute(TAKE, &[vehicle]).await?;
                tx.execute(START, &[ride, vehicle, rider]).await?;
            }
            Action::End { rider, revenue } => {
                let rows = tx.query(OPEN, &[rider]).await?;
                let Some(row) = rows.first() else {
                    return Err(BodyError::Refused("no open ride".to_owned()));
                };
                let (ride, vehicle): (i64, i64) = row.read()?;
                tx.execute(END, &[&ride, revenue]).await?;
                tx.execute(GIVE_BACK, &[&vehicle]).await?;
            }
            Action::Browse { city } => {
                tx.query(BROWSE, &[city, &SHOWN]).await?;
            }
            Action::SignUp { user, city } => {
                tx.execute(SIGN_UP, &[user, city, &"new user"]).await?;
            }
        }
        Ok(())
    }
}

impl Action {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Action::Start { .. } => "start ride",
            Action::End { .. } => "end ride",
            Action::Browse { .. } => "browse",
            Action::SignUp { .. } => "sign up",
        }
    }

    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Action::Browse { .. })
    }

    /// Rides are what is counted.
    pub(crate) fn rides(&self) -> i64 {
        i64::from(matches!(self, Action::Start { .. }))
    }
}

/// No vehicle with two open rides, none that is free and has one or the other way round, no ride lost.
pub(crate) async fn checks(statements: &mut impl Statements) -> Result<Vec<Check>, Error> {
    let two = invariant::none(statements, "open rides", "one a vehicle at most", TWICE, |row| {
        let (vehicle, rides): (i64, i64) = row.read()?;
        Ok(format!("vehicle {vehicle} has {rides} open rides"))
    });
    let two = two.await?;
    let wrong =
        invariant::none(statements, "vehicles", "taken if and only if ridden", WRONG, |row| {
            let (vehicle, available): (i64, bool) = row.read()?;
            Ok(match available {
                true => format!("vehicle {vehicle} is available and has an open ride"),
                false => format!("vehicle {vehicle} is taken and has no open ride"),
            })
        });
    let wrong = wrong.await?;
    let lost = invariant::none(
        statements,
        "vehicles' rides",
        "as many as each vehicle has",
        LOST,
        |row| {
            let (vehicle, rides, found): (i64, i64, i64) = row.read()?;
            Ok(format!("expected {rides} rides of vehicle {vehicle}, found {found}"))
        },
    );
    let lost = lost.await?;
    let row: Row = statements.query_one(COUNT, &[]).await?;
    let (rides, started): (i64, i64) = row.read()?;
    let all = match rides == started {
        true => Check::holds("rides", rides.to_string()),
        false => Check::violated(
            "rides",
            format!("expected the {started} rides that were started, found {rides}"),
        ),
    };
    Ok(vec![two, wrong, lost, all])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::of_worker;

    #[test]
    fn another_run_has_other_rides() {
        let settings = Settings::from([("vehicles".to_owned(), 10), ("users".to_owned(), 20)]);
        let rides = |run| -> Vec<i64> {
            let movr = Movr::new(&settings, None, run).unwrap();
            let mut random = of_worker(7, 0);
            (0..100)
                .filter_map(|_| match movr.draw(&mut random, 0) {
                    Action::Start { ride, .. } => Some(ride),
                    _ => None,
                })
                .collect()
        };
        assert_eq!(rides(1), rides(1));
        assert!(rides(1).iter().all(|ride| !rides(2).contains(ride) && *ride > 1 << 60));
    }
}
