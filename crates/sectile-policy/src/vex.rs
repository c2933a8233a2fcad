//! Statements of `OpenVEX` documents as exceptions.

use super::{Exception, Policy, PolicyLocation, RuleError};
use sectile_advisories::{VexDocument, VexProduct, VexStatement};

impl Policy {
    /// Adds the statements of an `OpenVEX` document as exceptions: each excuses the findings about
    /// its vulnerability, with its justification as the reason.
    ///
    /// A statement about a package holds for every binary. A statement about a digest holds for the
    /// binaries with this digest, as other exceptions by [digest](Exception::with_digest) do.
    ///
    /// # Errors
    ///
    /// A digest of a statement is not a digest.
    pub fn with_vex(self, document: &VexDocument) -> Result<Self, RuleError> {
        let start = PolicyLocation::new(&document.path, 1);
        document.statements.iter().try_fold(self, |policy, statement| {
            statement.products.iter().try_fold(policy, |policy, product| {
                let exception = exception(statement, product)?;
                Ok(policy.with_exception(exception.with_location(Some(start.at_line(statement.line)))))
            })
        })
    }
}

fn exception(statement: &VexStatement, product: &VexProduct) -> Result<Exception, RuleError> {
    let exception = Exception::new(&statement.reason)?.with_advisories(statement.vulnerability.iter().cloned());
    match product {
        VexProduct::Package(package) => Ok(exception.with_packages(vec![package.clone()])),
        VexProduct::Binary { digests, packages } => {
            let exception = exception.with_packages(packages.clone());
            digests.iter().try_fold(exception, |exception, digest| exception.with_digest(digest))
        }
        _ => Err(RuleError::new("the product of a statement is not supported")),
    }
}
