//! Empty: only the test files in the packages of the dependencies are used.
