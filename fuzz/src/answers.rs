//! Each answer that the connector reads: by how the path of its request begins, and what it is where it is right.
//!
//! An input of the target `answer` is three bytes (which of these is replaced, with which status, in pieces of how many bytes)
//! and then the body. `host-test/tests/all/corpus.rs` reads it so too.

/// The answers. The first is the one that has a token in it, which is made where it is needed.
pub const ANSWERS: [(&str, &str); 10] = [
    ("/ws/oauth/token", ""),
    (
        "/v2/users",
        r#"[{"id":1,"userType":"TECHNICIAN","email":"a@b.c"}]"#,
    ),
    (
        "/v2/user/technicians",
        r#"[{"id":1,"userType":"TECHNICIAN"}]"#,
    ),
    (
        "/v2/user/technician/1",
        r#"{"id":1,"userType":"TECHNICIAN","firstName":"A","administrator":false}"#,
    ),
    ("/v2/user/end-user", "[]"),
    (
        "/v2/user/roles",
        r#"[{"id":2,"type":"TECHNICIAN","members":[]}]"#,
    ),
    ("/v2/user/role/2/", r#"{"id":2,"members":[{"id":1}]}"#),
    ("/v2/organizations", "[]"),
    ("/v2/organization/3", r#"{"id":3}"#),
    ("/v2/activities", r#"{"activities":[]}"#),
];

/// The statuses that an answer may have.
pub const STATUSES: [u16; 10] = [200, 200, 200, 204, 400, 401, 403, 404, 429, 500];
