//! Addresses of networks and of network interfaces.

use std::net::IpAddr;

use crate::RangeError;

/// An `inet` or a `cidr`: an address, and how many of its bits name the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inet {
    address: IpAddr,
    prefix: u8,
}

impl Inet {
    /// An address within its network.
    ///
    /// # Errors
    /// The network has more bits than the address: 32, or 128 in version 6.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, RangeError> {
        match address {
            IpAddr::V4(_) if prefix > 32 => {
                Err(RangeError::new("a network of 0 to 32 bits", prefix))
            }
            IpAddr::V6(_) if prefix > 128 => {
                Err(RangeError::new("a network of 0 to 128 bits", prefix))
            }
            _ => Ok(Self { address, prefix }),
        }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The bits of the network: 32 or 128 for a host of its own.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// The bits that an address of this version has.
    pub(crate) fn bits(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }

    /// Whether no bit is set beyond those of the network, as a `cidr` must have it.
    #[must_use]
    pub fn is_network(&self) -> bool {
        let host = u32::from(Self::bits(self.address) - self.prefix);
        match self.address {
            IpAddr::V4(address) => host == 0 || address.to_bits().trailing_zeros() >= host,
            IpAddr::V6(address) => host == 0 || address.to_bits().trailing_zeros() >= host,
        }
    }
}

/// A host of its own.
impl From<IpAddr> for Inet {
    fn from(address: IpAddr) -> Self {
        Self { address, prefix: Self::bits(address) }
    }
}

/// A `macaddr`: six bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

/// A `macaddr8`: eight bytes (EUI-64).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr8(pub [u8; 8]);
