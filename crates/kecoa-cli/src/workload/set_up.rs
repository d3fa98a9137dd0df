//! Sets a workload up, and how large.

use kecoa_workload::Name;

use super::arguments::Size;
use super::place::Server;
use crate::failure::Failure;
use crate::output::Output;

/// Sets a workload up, and says how far it is.
pub(super) fn set_up(
    server: &Server,
    name: Name,
    size: u32,
    drop: bool,
    output: &Output,
) -> Result<(), Failure> {
    output.detail(&format!("sets {name} up: {size} {}", name.items()));
    let mut told = 0;
    let config = server.config()?;
    kecoa_workload::init(&config, name, size, drop, &mut |there| {
        let percent = there.saturating_mul(100) / i64::from(size.max(1));
        if percent >= told + 10 {
            told = percent;
            output.detail(&format!("{there} of {size} {}", name.items()));
        }
    })?;
    Ok(())
}

/// The size that was chosen, by the option that is this workload's; nothing where none was.
pub(super) fn size_of(name: Name, size: &Size) -> Result<Option<u32>, Failure> {
    let given = [
        ("--accounts", "accounts", size.accounts),
        ("--keys", "keys", size.keys),
        ("--warehouses", "warehouses", size.warehouses),
        ("--vehicles", "vehicles", size.vehicles),
    ];
    let mut chosen = None;
    for (option, items, given) in given {
        match given {
            None => {}
            Some(size) if items == name.items() => chosen = Some(size),
            Some(_) => {
                return Err(Failure::Usage(format!(
                    "{option} is not an option of {name}, whose size is --{}",
                    name.items()
                )));
            }
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_that_of_its_workload() {
        let size = Size { accounts: Some(7), ..Size::default() };
        assert_eq!(size_of(Name::Bank, &size).unwrap(), Some(7));
        let refused = size_of(Name::Kv, &size).unwrap_err();
        assert_eq!(refused.status(), 2);
        assert!(refused.to_string().contains("--keys"), "{refused}");
        assert_eq!(size_of(Name::Tpcc, &Size::default()).unwrap(), None);
    }
}
