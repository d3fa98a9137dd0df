//! What dates and timestamps have in common.

/// The parts of a day, for a type that has them as fields.
macro_rules! day_parts {
    () => {
        /// Astronomical year: 0 is 1 BC.
        #[must_use]
        #[inline]
        pub const fn year(self) -> i32 {
            self.year
        }

        /// 1 to 12.
        #[must_use]
        #[inline]
        pub const fn month(self) -> u8 {
            self.month
        }

        /// 1 to 31.
        #[must_use]
        #[inline]
        pub const fn day(self) -> u8 {
            self.day
        }
    };
}

/// A type that holds another one's values and two infinities.
macro_rules! with_infinities {
    ($(#[$attribute:meta])* $name:ident($finite:ident): $one:literal) => {
        $(#[$attribute])*
        pub enum $name {
            #[doc = concat!("`-infinity`, before every other ", $one, ".")]
            NegInfinity,
            #[doc = concat!("A finite ", $one, ".")]
            Finite($finite),
            #[doc = concat!("`infinity`, after every other ", $one, ".")]
            Infinity,
        }

        impl $name {
            #[doc = concat!("The ", $one, ", unless it is infinite.")]
            #[must_use]
            pub const fn finite(self) -> Option<$finite> {
                match self {
                    Self::Finite(finite) => Some(finite),
                    Self::NegInfinity | Self::Infinity => None,
                }
            }
        }

        impl From<$finite> for $name {
            fn from(finite: $finite) -> Self {
                Self::Finite(finite)
            }
        }
    };
}

pub(super) use {day_parts, with_infinities};
