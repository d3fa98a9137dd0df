//! The server's `R` messages: which proof of identity it asks for.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::message::read::Reader;
use crate::message::write;

/// An authentication request, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// 0: the client is in.
    Ok,
    /// 2: Kerberos V5, which no server asks for any more.
    KerberosV5,
    /// 3: the password as it is.
    CleartextPassword,
    /// 5: the password hashed with MD5 and this salt.
    Md5Password {
        /// Four random bytes.
        salt: [u8; 4],
    },
    /// 6: a credential of the unix socket, which no server asks for any more.
    ScmCredential,
    /// 7: GSSAPI.
    Gss,
    /// 8: GSSAPI or SSPI data.
    GssContinue(Bytes),
    /// 9: SSPI.
    Sspi,
    /// 10: SASL, by one of these mechanisms.
    Sasl {
        /// Their names, the server's favourite first.
        mechanisms: Vec<Bytes>,
    },
    /// 11: the server's challenge.
    SaslContinue(Bytes),
    /// 12: the last message of the server in a SASL exchange.
    SaslFinal(Bytes),
    /// Something newer.
    Other {
        /// Its code.
        code: u32,
        /// What came with it.
        data: Bytes,
    },
}

impl Authentication {
    pub(super) fn read(r: &mut Reader) -> Result<Authentication, ProtocolError> {
        Ok(match r.u32("an authentication code")? {
            0 => Authentication::Ok,
            2 => Authentication::KerberosV5,
            3 => Authentication::CleartextPassword,
            5 => Authentication::Md5Password { salt: r.array("a salt")? },
            6 => Authentication::ScmCredential,
            7 => Authentication::Gss,
            8 => Authentication::GssContinue(r.rest()),
            9 => Authentication::Sspi,
            10 => {
                let mut mechanisms = Vec::new();
                loop {
                    let mechanism = r.string("a SASL mechanism")?;
                    if mechanism.is_empty() {
                        break;
                    }
                    mechanisms.push(mechanism);
                }
                Authentication::Sasl { mechanisms }
            }
            11 => Authentication::SaslContinue(r.rest()),
            12 => Authentication::SaslFinal(r.rest()),
            code => Authentication::Other { code, data: r.rest() },
        })
    }

    pub(super) fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        match self {
            Authentication::Ok => out.put_u32(0),
            Authentication::KerberosV5 => out.put_u32(2),
            Authentication::CleartextPassword => out.put_u32(3),
            Authentication::Md5Password { salt } => {
                out.put_u32(5);
                out.put_slice(salt);
            }
            Authentication::ScmCredential => out.put_u32(6),
            Authentication::Gss => out.put_u32(7),
            Authentication::GssContinue(data) => {
                out.put_u32(8);
                out.put_slice(data);
            }
            Authentication::Sspi => out.put_u32(9),
            Authentication::Sasl { mechanisms } => {
                out.put_u32(10);
                for mechanism in mechanisms {
                    write::string(out, mechanism, "a SASL mechanism")?;
                }
                out.put_u8(0);
            }
            Authentication::SaslContinue(data) => {
                out.put_u32(11);
                out.put_slice(data);
            }
            Authentication::SaslFinal(data) => {
                out.put_u32(12);
                out.put_slice(data);
            }
            Authentication::Other { code, data } => {
                out.put_u32(*code);
                out.put_slice(data);
            }
        }
        Ok(())
    }
}
