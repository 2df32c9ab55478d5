//! pki

pub mod throwaway;
