//! Bad input of every class, sent to every operation that could read it: the right refusal, with a
//! documented code, no failure on our side, and nothing changed.

use laika_core::field::FieldError;
use laika_tests::support::contract::{self, Operation, operations, places, wrong};
use laika_tests::support::http::{Answer, Request};
use serde_json::{Value, json};

use super::{Town, code};

/// Runs on both databases: each keeps texts and numbers in its own way.
pub(super) fn on_both(name: &str, test: impl Fn(&Town)) {
    for on_postgres in [false, true] {
        let town = Town::new(&format!("{name}-{on_postgres}"), on_postgres);
        let before = town.at_rest();
        test(&town);
        let after = town.kept();
        let changed = before.iter().zip(&after).find(|(before, after)| before != after);
        assert_eq!(changed, None, "something that was refused changed something");
        assert_eq!(before.len(), after.len());
        town.is_well();
    }
}

/// The operations that read JSON from a person's app.
fn with_body() -> Vec<(Operation, &'static Value)> {
    let all = operations().into_iter();
    let all: Vec<_> = all.filter_map(|it| it.body().map(|body| (it, body))).collect();
    assert!(all.len() > 12, "{all:?}");
    // Where payments are by the sandbox, Stripe's address is not there.
    let ours = |it: &Operation| !it.wants("Laika-Signature") && it.id() != "webhooks.stripe";
    all.into_iter().filter(|(it, _)| ours(it)).collect()
}

fn send(town: &Town, operation: &Operation, kind: &str, body: &[u8]) -> Answer {
    let request = town.request(operation, &town.path(operation)).body(kind, body.to_vec());
    let answer = request.send().expect("an answer");
    let shown = String::from_utf8_lossy(&body[..body.len().min(200)]);
    assert!(answer.status < 500, "{} {shown}: {}", operation.id(), answer.text());
    answer
}

#[track_caller]
fn refused(answer: &Answer, wanted: (u16, &str), operation: &Operation, what: &str) {
    let (status, known) = code(answer);
    assert_eq!((status, known.as_str()), wanted, "{}: {what}", operation.id());
    let request_id = answer.json()["request_id"].as_str().map(str::len);
    assert!(request_id > Some(10), "{what}: {}", answer.text());
}

/// A JSON object with what stands between its braces, once more and otherwise.
fn with_more(good: &Value, more: &str) -> String {
    let text = good.to_string();
    match text.strip_suffix('}') {
        Some("{") => format!("{{{more}}}"),
        Some(start) => format!("{start},{more}}}"),
        None => text,
    }
}

#[test]
fn json_of_every_broken_kind_is_refused() {
    on_both("broken", |town| {
        for (operation, _) in with_body() {
            let good = town.body(&operation).expect("a body");
            let text = good.to_string();
            // A member twice; of an object without any, one that nobody knows.
            let first = good.as_object().and_then(|all| all.iter().next());
            let twice = first.map(|(name, value)| format!("\"{name}\":{value}"));
            let twice = twice.unwrap_or("\"a\":1".to_owned());
            let deep = "[".repeat(20_000);
            let deep_object = "{\"a\":".repeat(10_000);
            let broken: Vec<Vec<u8>> = vec![
                b"".to_vec(),
                b" ".to_vec(),
                b"{".to_vec(),
                b"null".to_vec(),
                b"true".to_vec(),
                b"\"x\"".to_vec(),
                b"-0".to_vec(),
                b"1e999".to_vec(),
                b"NaN".to_vec(),
                b"\0".to_vec(),
                b"\xff\xfe".to_vec(),
                text.as_bytes()[..text.len() - 1].to_vec(),
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
                format!("{text}{text}").into_bytes(),
                format!("{text},").into_bytes(),
                format!("[{text}]").into_bytes(),
                text.replace('"', "'").into_bytes(),
                text.replacen('{', "{\"\\ud800\":1,", 1).into_bytes(),
                [&text.as_bytes()[..1], b"\"\xc3\":1,", &text.as_bytes()[1..]].concat(),
                format!("//\n{text}").into_bytes(),
                deep.into_bytes(),
                deep_object.into_bytes(),
                with_more(&good, &twice).into_bytes(),
            ];
            for body in broken {
                let answer = send(town, &operation, "application/json", &body);
                let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
                refused(&answer, (400, "bad_json"), &operation, &shown);
            }
        }
    });
}

#[test]
fn what_the_server_owns_and_what_nobody_knows_cannot_be_sent() {
    on_both("owned", |town| {
        for (operation, _) in with_body() {
            let good = town.body(&operation).expect("a body");
            for more in [
                "\"id\":\"line_1\"",
                "\"account_id\":\"acc_1\"",
                "\"version\":1",
                "\"on\":true",
                "\"status\":\"done\"",
                "\"balance\":{\"available\":1}",
                "\"created_at\":\"2026-01-01T00:00:00Z\"",
                "\"is_admin\":true",
                "\"__proto__\":{}",
                "\"\":null",
            ] {
                let known = good.as_object().expect("an object");
                if known.keys().any(|name| more.starts_with(&format!("\"{name}\""))) {
                    continue;
                }
                let body = with_more(&good, more);
                let answer = send(town, &operation, "application/json", body.as_bytes());
                refused(&answer, (400, "bad_json"), &operation, more);
            }
        }
    });
}

#[test]
fn a_value_of_another_type_or_out_of_its_range_is_refused() {
    on_both("types", |town| {
        for (operation, schema) in with_body() {
            let good = town.body(&operation).expect("a body");
            let fits = contract::faults(contract::document(), schema, &good);
            assert!(fits.is_empty(), "{}: {fits:?}", operation.id());
            for (place, schema) in places(schema, &good) {
                for text in wrong(schema) {
                    let mark = json!("a mark for the text");
                    let body = contract::at(&good, &place, &mark).to_string();
                    let body = body.replacen(&mark.to_string(), &text, 1);
                    let answer = send(town, &operation, "application/json", body.as_bytes());
                    let what = format!("{place}: {text}");
                    refused(&answer, (400, "bad_json"), &operation, &what);
                }
            }
        }
    });
}

/// Texts that break what does not expect them.
fn texts() -> Vec<String> {
    let long = [300, 5_000].map(|length| "a".repeat(length));
    let marks = "e".to_owned() + &"\u{301}".repeat(500);
    let plain = [
        "",
        " ",
        "\u{0}",
        "a\u{0}b",
        "\u{7f}\u{1b}[31m",
        "a\r\nSet-Cookie: a=b",
        "a\nBcc: everybody@example.org",
        "\u{202e}gnp.exe",
        "\u{2066}a\u{2069}\u{200f}",
        "\u{feff}a",
        "\u{fffe}\u{ffff}\u{fdd0}",
        "\u{e000}\u{10ffff}",
        "=HYPERLINK(\"http://evil.example\")",
        "+1+1",
        "@SUM(A1)",
        "';DROP TABLE accounts;--",
        "\" OR 1=1 --",
        "<script>alert(1)</script>",
        "{{7*7}}${7*7}%s%n",
        "../../etc/passwd",
        "Ελληνικά עברית العربية हिन्दी ไทย 中文 日本語 한국어",
        "👨‍👩‍👧‍👦🏴󠁧󠁢󠁷󠁬󠁳󠁿",
        "İıſK",
        "ﷺ".repeat(40).leak(),
        "-1",
        "0",
        "1e309",
        "１２３",
        "٣٫٥",
        "1,000.00.0",
        "99999999999999999999999999999999",
        "0.0000000000000000000000000001",
        "NaN",
        "Infinity",
        "2026-02-30",
        "24:00",
    ];
    plain.iter().map(|text| (*text).to_owned()).chain(long).chain([marks]).collect()
}

#[test]
fn text_of_every_kind_fails_nothing_and_changes_nothing() {
    on_both("texts", |town| {
        for (operation, schema) in with_body() {
            // A name takes nearly every text, and a rule's draft holds fields that mean nothing
            // while others stand as they do: what each does with them is tested beside it.
            if ["lines.change", "rules.save"].contains(&operation.id()) {
                continue;
            }
            let good = town.body(&operation).expect("a body");
            let free = |schema: &Value| {
                let narrow = ["enum", "const", "format", "pattern"];
                schema["type"].to_string().contains("string")
                    && narrow.iter().all(|word| schema.get(word).is_none())
            };
            for (place, _) in places(schema, &good).into_iter().filter(|(_, it)| free(it)) {
                for text in texts() {
                    let body = contract::at(&good, &place, &json!(text)).to_string();
                    let answer = send(town, &operation, "application/json", body.as_bytes());
                    let what = format!("{}{place}: {text:?}", operation.id());
                    assert!((400..500).contains(&answer.status), "{what}: {}", answer.text());
                    errors_are_ours(&answer);
                }
            }
        }
    });
}

#[test]
fn what_is_typed_into_a_rule_is_refused_or_means_nothing() {
    let town = Town::new("typed", false);
    let save = operations().into_iter().find(|it| it.id() == "rules.save").expect("it");
    let means = |rule: &Value| {
        ["triggers", "amount", "limits", "alert", "payment_methods"].map(|it| rule[it].clone())
    };
    let before = means(&town.ana.get(&town.ana.of_line("rule")).expect(200).json()["rule"]);
    let good = town.body(&save).expect("a body");
    let draft = good["draft"].as_object().expect("a draft").iter();
    let typed: Vec<&String> =
        draft.filter(|(_, it)| it.is_string()).map(|(name, _)| name).collect();
    assert!(typed.len() > 10, "{typed:?}");
    for name in typed {
        for text in texts() {
            let body = town.body(&save).expect("a body");
            let body = contract::at(&body, &format!("/draft/{name}"), &json!(text)).to_string();
            let answer = send(&town, &save, "application/json", body.as_bytes());
            let what = format!("{name}: {text:?}: {}", answer.text());
            match answer.status {
                200 => assert_eq!(means(&answer.json()["rule"]), before, "{what}"),
                status => assert!((400..500).contains(&status), "{what}"),
            }
            errors_are_ours(&answer);
        }
    }
    town.is_well();
}

/// Each error by field is one that the app has words for.
fn errors_are_ours(answer: &Answer) {
    for error in answer.json()["errors"].as_array().into_iter().flatten() {
        let known = serde_json::from_value::<FieldError>(error.clone());
        assert!(known.is_ok(), "{error}");
    }
}

#[test]
fn money_is_of_the_line_whatever_its_exponent() {
    on_both("money", |town| {
        let buy = operations().into_iter().find(|it| it.id() == "recharges.buy").expect("it");
        let good = town.body(&buy).expect("a body");
        let codes = ["JPY", "KRW", "KWD", "BHD", "CLF", "USD", "XAU", "XXX", "UYW"];
        for currency in codes {
            let body = contract::at(&good, "/amount/currency", &json!(currency)).to_string();
            let answer = send(town, &buy, "application/json", body.as_bytes());
            let known = laika_core::money::Currency::from_code(currency).is_some();
            let wanted = if known { (409, "terms_changed") } else { (400, "bad_json") };
            refused(&answer, wanted, &buy, currency);
        }
        for (place, value, wanted) in [
            ("/amount/amount_minor", json!(-1), (409, "terms_changed")),
            ("/amount/amount_minor", json!(i64::MIN), (409, "terms_changed")),
            ("/amount/amount_minor", json!(i64::MAX), (409, "terms_changed")),
            ("/steps", json!(0), (422, "bad_steps")),
            ("/steps", json!(101), (422, "bad_steps")),
            ("/steps", json!(u32::MAX), (422, "bad_steps")),
        ] {
            let body = contract::at(&good, place, &value).to_string();
            let answer = send(town, &buy, "application/json", body.as_bytes());
            refused(&answer, wanted, &buy, &format!("{place} {value}"));
        }
    });
}

#[test]
fn another_media_type_a_packed_body_and_a_large_one_are_refused() {
    on_both("kinds", |town| {
        for (operation, _) in with_body() {
            let good = town.body(&operation).expect("a body").to_string();
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/jsonp",
                "json",
                "",
            ] {
                let answer = send(town, &operation, kind, good.as_bytes());
                refused(&answer, (415, "not_json"), &operation, kind);
            }
            let large = format!("{}{good}", " ".repeat(64 * 1024));
            let answer = send(town, &operation, "application/json", large.as_bytes());
            refused(&answer, (413, "too_large"), &operation, "64 KiB and more");
        }
        for operation in operations().into_iter().filter(|it| !it.is_safe()) {
            for packed in ["gzip", "br", "deflate", "gzip, identity", "zstd"] {
                let request = town.request(&operation, &town.path(&operation));
                let bomb = request.header("Content-Encoding", packed);
                let bomb = bomb.body("application/json", b"\x1f\x8b\x08\0\0\0\0\0".to_vec());
                let answer = bomb.send().expect("an answer");
                refused(&answer, (415, "encoded"), &operation, packed);
            }
        }
    });
}

#[test]
fn an_idempotency_key_that_is_none_is_refused() {
    on_both("keys", |town| {
        let takes = |it: &Operation| it.said["parameters"].to_string().contains("Idempotency-Key");
        let all: Vec<Operation> = operations().into_iter().filter(takes).collect();
        assert!(all.len() >= 2);
        for operation in all {
            let good = town.body(&operation).expect("a body");
            let path = town.path(&operation);
            let bare = || town.ana.request(operation.method, path.trim_start_matches("/api/v1"));
            let answer = bare().json(&good).send().expect("an answer");
            refused(&answer, (400, "idempotency_key"), &operation, "none");
            for key in ["", " ", "a b", "a/b", "a\tb", "ключ", "a;b", &"k".repeat(81)] {
                let request = bare().header("Idempotency-Key", key).json(&good);
                let answer = request.send().expect("an answer");
                refused(&answer, (400, "idempotency_key"), &operation, key);
            }
        }
    });
}

#[test]
fn an_id_that_names_nothing_is_not_there_however_it_is_written() {
    on_both("ids", |town| {
        let named = |it: &Operation| it.path.contains('{') && it.path.starts_with("/api/");
        for operation in operations().into_iter().filter(named) {
            // Both codes are wrong in a sample; where there is no registration that is not told.
            for id in [
                "x",
                "line_0000000000000000",
                "0",
                "-1",
                "%20",
                "%00",
                "a%00b",
                "%FF",
                "%",
                "%zz",
                "%2e%2e",
                "%2F",
                "..%2F..",
                "%0d%0aSet-Cookie:%20a=b",
                "%E2%80%AEx",
                "%E4%B8%AD%E6%96%87",
                "1%27%20OR%201=1--",
                "99999999999999999999999999",
                &"a".repeat(4_000),
            ] {
                let path = town.path_with(&operation, Some(id));
                let request = town.request(&operation, &path);
                let body = town.body(&operation);
                let request = body.map_or(request.clone(), |body| request.json(&body));
                let answer = request.send().expect("an answer");
                refused(&answer, (404, "not_found"), &operation, id);
            }
        }
    });
}

#[test]
fn an_address_is_what_it_is_to_the_letter() {
    on_both("addresses", |town| {
        for operation in operations().into_iter().filter(|it| it.path.starts_with("/api/")) {
            let path = town.path(&operation);
            let ask = |method: &str, path: &str| {
                let request = Request::new(method, &town.server.url(path));
                request.send().expect("an answer")
            };
            for other in [
                format!("{path}/"),
                format!("{path}%2F"),
                path.replacen("/api/v1/", "/api//v1/", 1),
                path.replacen("/api/v1/", "/api/v1/./", 1),
                path.replacen("/api/v1/", "/api/v1/x/../", 1),
                path.replacen("/api/v1/", "/api/V1/", 1),
                path.replacen("/api/v1/", "/api/v1%2f", 1),
                format!("{path};a=b"),
            ] {
                let answer = ask(operation.method, &other);
                let (status, known) = code(&answer);
                let missing = status == 404 || (status, known.as_str()) == (401, "unauthenticated");
                assert!(missing || status == 405, "{} {other}: {status}", operation.method);
            }
            let junk = format!("{path}?a=%00&b[]=%FF&&=&{}", "c=d&".repeat(500));
            // Why not the others: a code is sent again to whoever asks, and that is no refusal.
            if operation.is_safe() {
                let (plain, junk) = (ask(operation.method, &path), ask(operation.method, &junk));
                assert_eq!(plain.status, junk.status, "{path}: what follows a ? means nothing");
            }
            let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
            let known = |method: &str| Operation::that_answers(method, &path).is_some();
            for method in methods.into_iter().filter(|method| !known(method)) {
                let answer = ask(method, &path);
                assert_eq!(code(&answer), (405, "other_method".to_owned()), "{method} {path}");
                let allowed = answer.header("allow").unwrap_or_default();
                assert!(allowed.contains(operation.method), "{method} {path}: {allowed}");
            }
        }
    });
}

#[test]
fn head_answers_as_get_does_without_its_body() {
    let town = Town::new("head", false);
    for operation in operations().into_iter().filter(Operation::is_safe) {
        // A live stream has no end to wait for.
        if operation.id() == "events.stream" {
            continue;
        }
        let path = town.path(&operation);
        let ask = |method: &str| match path.strip_prefix("/api/v1") {
            Some(path) => town.ana.request(method, path),
            None => Request::new(method, &town.server.url(&path)),
        };
        let (head, get) = (ask("HEAD").send(), ask("GET").send());
        let (head, get) = (head.expect("an answer"), get.expect("an answer"));
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}: {}", head.text());
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}
