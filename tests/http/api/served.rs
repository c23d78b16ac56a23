//! The document and the words of the problems, as a server gives them.

use laika_core::api::Problem;
use laika_tests::support::contract::{document, operations, sample};
use laika_tests::support::customer::read;
use laika_tests::support::http::{Answer, Request};

use super::{Town, code};

fn get(town: &Town, path: &str, language: &str) -> Answer {
    let request = Request::new("GET", &town.server.url(path));
    request.header("Accept-Language", language).send().expect("an answer")
}

#[test]
fn the_document_is_served_and_every_problem_is_explained_where_it_says() {
    let town = Town::new("served", false);
    let served = get(&town, "/api/v1/openapi.json", "").expect(200);
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(&served.json(), document());
    let unknown = town.ana.get("/lines/x/rule");
    let problem: Problem = read(&unknown);
    assert_eq!(code(&unknown), (404, problem.code.clone()));
    for (code, said) in document()["x-problems"].as_object().expect("problems") {
        let path = problem.kind.replace(&problem.code, code);
        for (asked, language) in [("", "en"), ("fr-FR,en;q=0.5", "en"), ("zh-TW,zh;q=0.9", "zh-CN")]
        {
            let answer = get(&town, &path, asked).expect(200);
            assert_eq!(answer.header("content-language"), Some(language));
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
            let text: Vec<String> = answer.text().split_whitespace().map(str::to_owned).collect();
            let words = said[language].as_str().expect("words");
            assert!(text.join(" ").contains(words), "{code} in {language}: {}", answer.text());
        }
    }
    assert_eq!(code(&get(&town, "/problems/nothing", "")).0, 404);
    town.is_well();
}

#[test]
fn a_body_that_fits_its_schema_is_read_at_every_operation() {
    let town = Town::new("fits", false);
    for operation in operations() {
        let Some(schema) = operation.body() else { continue };
        // Its events are signed, and tested beside that.
        if operation.wants("Laika-Signature") || operation.wants("Stripe-Signature") {
            continue;
        }
        let path = town.path(&operation);
        let answer = town.request(&operation, &path).json(&sample(schema)).send();
        let answer = answer.expect("an answer");
        let (status, known) = code(&answer);
        let read = status < 300 || (status != 400 && status != 415 && status < 500);
        assert!(read, "{}: {known}: {}", operation.id(), answer.text());
    }
}
