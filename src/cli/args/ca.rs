//! What can be typed after `annai ca`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub struct CaArgs {
    /// [default: show]
    #[command(subcommand)]
    pub verb: Option<CaVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum CaVerb {
    /// Root and issuing CAs, their dates and lists, and why nothing is issued if so
    Show,
    /// Make a root and an issuing CA (`annai init` does this for a new directory)
    Init,
    /// Write every revocation list into one PEM file, for `ssl_crl` of nginx
    Crl {
        /// [default: print it]
        file: Option<PathBuf>,
        /// Make them anew first
        #[arg(long)]
        renew: bool,
    },
    /// Write the CA certificates into one PEM file, for `ssl_client_certificate` of nginx
    Bundle { file: PathBuf },
    /// Let a CA that waits in the CA directory sign from now on; where two persons are needed, this asks for it
    Adopt {
        /// As `annai ca show` lists it
        ca: String,
        #[arg(long)]
        reason: String,
    },
    /// Begin a new issuing CA under the same root, and adopt it
    Rotate {
        #[arg(long)]
        reason: String,
        /// The root's key, brought back from where it is kept [default: root.key in the CA directory]
        #[arg(long, value_name = "FILE")]
        root_key: Option<PathBuf>,
    },
    /// Take over an issuing CA made elsewhere, with the certificates above it, and adopt it
    Import {
        #[arg(long)]
        reason: String,
        /// PEM: the CA and those above it
        #[arg(long, value_name = "FILE", requires = "key")]
        cert: Option<PathBuf>,
        /// PEM: its private key
        #[arg(long, value_name = "FILE", requires = "cert")]
        key: Option<PathBuf>,
        /// All in one file
        #[arg(long, value_name = "FILE", conflicts_with = "cert")]
        pkcs12: Option<PathBuf>,
        /// Holds the password of that file
        #[arg(long, value_name = "FILE", requires = "pkcs12")]
        password_file: Option<PathBuf>,
    },
}
