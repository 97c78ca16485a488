//! As `ui-tests/`, for those who use engines that outlive the process (the feature `disk`). There is no code here, only
//! tests.
