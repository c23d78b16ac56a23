//! One element of a page, as a value of one type: tag, attributes, listeners, children. All views
//! of the app are built from it, so the code that draws and redraws is in the module once.
//!
//! Why not the framework's macro: it gives every element a type of its own, which is fast, and a
//! copy of the code for each. Measured on this app's module, brotli: 268 KB with the macro, its
//! types erased where it can; 226 KB with this. The rest is the framework's: signals, effects, and
//! `AnyView`, in which an element stands like any other view.

use leptos::prelude::*;
use leptos::tachys::html::attribute::{Attribute, any_attribute::AnyAttribute};
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types;
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// What an attribute has: nothing takes it away.
type Value = Option<Cow<'static, str>>;
type Follow = Box<dyn Fn() -> Value + Send>;
type Handler = Box<dyn FnMut(web_sys::Event) + Send>;
type Visit = Box<dyn FnOnce(types::Element) + Send>;

/// An element, not drawn yet. Boxed, because it is handed on with each thing that is added.
pub(crate) struct El(Box<Parts>);

struct Parts {
    tag: &'static str,
    still: Vec<(&'static str, Value)>,
    follows: Vec<(&'static str, Follow)>,
    handlers: Vec<(&'static str, Handler)>,
    children: Vec<AnyView>,
    visit: Option<Visit>,
}

/// An element of this tag. Those of SVG are known by their names.
#[inline(never)]
pub(crate) fn el(tag: &'static str) -> El {
    El(Box::new(Parts {
        tag,
        still: Vec::new(),
        follows: Vec::new(),
        handlers: Vec::new(),
        children: Vec::new(),
        visit: None,
    }))
}

impl El {
    /// With this class.
    pub(crate) fn class(self, class: impl AttrValue) -> El {
        class.put(self, "class")
    }

    /// With this attribute; `style:…` and `prop:…` name a style and a property.
    pub(crate) fn attr(self, name: &'static str, value: impl AttrValue) -> El {
        value.put(self, name)
    }

    /// With an attribute that follows signals.
    pub(crate) fn live<V: AttrValue>(
        self,
        name: &'static str,
        value: impl Fn() -> V + Send + 'static,
    ) -> El {
        self.follow(name, Box::new(move || value().value()))
    }

    /// With a listener.
    pub(crate) fn on(
        self,
        event: &'static str,
        handler: impl FnMut(web_sys::Event) + Send + 'static,
    ) -> El {
        self.listen(event, Box::new(handler))
    }

    /// With something in it, after what is in it already.
    pub(crate) fn child(self, child: impl Node) -> El {
        child.put(self)
    }

    /// Hands the element on, each time it is drawn.
    pub(crate) fn visit(mut self, visit: impl FnOnce(types::Element) + Send + 'static) -> El {
        self.0.visit = Some(Box::new(visit));
        self
    }

    // Why out of line: each is called hundreds of times, and small is fast enough here.
    #[inline(never)]
    fn still(mut self, name: &'static str, value: Value) -> El {
        self.0.still.push((name, value));
        self
    }

    #[inline(never)]
    fn word(self, name: &'static str, value: &'static str) -> El {
        self.still(name, Some(Cow::Borrowed(value)))
    }

    #[inline(never)]
    fn follow(mut self, name: &'static str, value: Follow) -> El {
        self.0.follows.push((name, value));
        self
    }

    #[inline(never)]
    fn listen(mut self, event: &'static str, handler: Handler) -> El {
        self.0.handlers.push((event, handler));
        self
    }

    #[inline(never)]
    fn view(mut self, child: AnyView) -> El {
        self.0.children.push(child);
        self
    }

    #[inline(never)]
    fn element(self, child: El) -> El {
        self.view(child.node())
    }

    #[inline(never)]
    fn text(self, text: String) -> El {
        self.view(text.node())
    }

    #[inline(never)]
    fn words(self, words: &'static str) -> El {
        self.text(words.to_owned())
    }
}

/// What an attribute can be given.
pub(crate) trait AttrValue {
    /// As text; nothing takes the attribute away.
    fn value(self) -> Value;

    /// On an element.
    fn put(self, element: El, name: &'static str) -> El
    where
        Self: Sized,
    {
        element.still(name, self.value())
    }
}

impl AttrValue for &'static str {
    fn value(self) -> Value {
        Some(Cow::Borrowed(self))
    }

    fn put(self, element: El, name: &'static str) -> El {
        element.word(name, self)
    }
}
impl AttrValue for String {
    fn value(self) -> Value {
        Some(Cow::Owned(self))
    }
}
impl AttrValue for bool {
    fn value(self) -> Value {
        self.then_some(Cow::Borrowed(""))
    }
}
impl AttrValue for u32 {
    fn value(self) -> Value {
        self.to_string().value()
    }
}
impl<V: AttrValue> AttrValue for Option<V> {
    fn value(self) -> Value {
        self.and_then(V::value)
    }
}

/// What an element can have in it.
pub(crate) trait Node {
    /// As a view.
    fn node(self) -> AnyView;

    /// Into an element.
    fn put(self, element: El) -> El
    where
        Self: Sized,
    {
        element.view(self.node())
    }
}

impl Node for AnyView {
    fn node(self) -> AnyView {
        self
    }
}
impl Node for El {
    #[inline(never)]
    fn node(self) -> AnyView {
        self.into_any()
    }

    fn put(self, element: El) -> El {
        element.element(self)
    }
}
impl Node for String {
    #[inline(never)]
    fn node(self) -> AnyView {
        self.into_any()
    }

    fn put(self, element: El) -> El {
        element.text(self)
    }
}
impl Node for &'static str {
    fn node(self) -> AnyView {
        self.to_owned().node()
    }

    fn put(self, element: El) -> El {
        element.words(self)
    }
}
impl<N: Node> Node for Option<N> {
    fn node(self) -> AnyView {
        self.map_or_else(nothing, N::node)
    }
}
impl<N: Node> Node for Vec<N> {
    fn node(self) -> AnyView {
        several(self.into_iter().map(N::node).collect())
    }
}
impl<N: Node, const K: usize> Node for [N; K] {
    fn node(self) -> AnyView {
        several(self.into_iter().map(N::node).collect())
    }
}

/// No view.
#[inline(never)]
pub(crate) fn nothing() -> AnyView {
    ().into_any()
}

#[inline(never)]
fn several(views: Vec<AnyView>) -> AnyView {
    views.into_any()
}

/// A drawn element, and what has to be kept for its next drawing.
pub(crate) struct Drawn {
    tag: &'static str,
    element: types::Element,
    still: Vec<(&'static str, Value)>,
    follows: Vec<(&'static str, RenderEffect<Value>)>,
    listeners: Vec<(&'static str, Listener)>,
    children: <Vec<AnyView> as Render>::State,
}

/// A listener that stays on its element while what it does may change.
struct Listener {
    does: Rc<RefCell<Handler>>,
    _closure: Closure<dyn FnMut(web_sys::Event)>,
}

const SVG: &str = "http://www.w3.org/2000/svg";

fn create(tag: &str) -> types::Element {
    let svg = matches!(tag, "svg" | "path" | "rect" | "g" | "text");
    let made = if svg {
        document().create_element_ns(Some(SVG), tag)
    } else {
        document().create_element(tag)
    };
    // Why: every tag here is a literal of ours, which no browser refuses.
    made.unwrap_or_else(|_| wasm_bindgen::throw_str(tag))
}

/// Gives an element an attribute, a style or a property, or takes it away.
fn set(element: &types::Element, name: &'static str, value: Option<&str>) {
    if let Some(property) = name.strip_prefix("prop:") {
        let value = match property {
            "checked" => JsValue::from_bool(value.is_some()),
            _ => JsValue::from_str(value.unwrap_or_default()),
        };
        let _ = js_sys::Reflect::set(element, &property.into(), &value);
    } else if let Some(style) = name.strip_prefix("style:") {
        if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
            let _ = element.style().set_property(style, value.unwrap_or_default());
        }
    } else {
        let _ = match value {
            Some(value) => element.set_attribute(name, value),
            None => element.remove_attribute(name),
        };
    }
}

fn follow(
    element: &types::Element,
    name: &'static str,
    value: Follow,
) -> (&'static str, RenderEffect<Value>) {
    let element = element.clone();
    let effect = RenderEffect::new(move |before: Option<Value>| {
        let now = value();
        if before.as_ref() != Some(&now) {
            set(&element, name, now.as_deref());
        }
        now
    });
    (name, effect)
}

fn listen(element: &types::Element, event: &'static str, handler: Handler) -> Listener {
    let does = Rc::new(RefCell::new(handler));
    let calls = Rc::clone(&does);
    let closure = Closure::<dyn FnMut(web_sys::Event)>::new(move |event| {
        // A handler that makes its own element listen anew is not called again from within.
        if let Ok(mut handler) = calls.try_borrow_mut() {
            handler(event);
        }
    });
    let _ = element.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    Listener { does, _closure: closure }
}

impl Render for El {
    type State = Drawn;

    fn build(self) -> Drawn {
        let El(parts) = self;
        let element = create(parts.tag);
        let mut children = parts.children.build();
        children.mount(&element, None);
        // Why after the children: a list's value can only be one of its options.
        for (name, value) in &parts.still {
            if value.is_some() {
                set(&element, name, value.as_deref());
            }
        }
        let follows =
            parts.follows.into_iter().map(|(name, f)| follow(&element, name, f)).collect();
        let listeners = parts.handlers.into_iter();
        let listeners = listeners.map(|(name, f)| (name, listen(&element, name, f))).collect();
        if let Some(visit) = parts.visit {
            visit(element.clone());
        }
        Drawn { tag: parts.tag, element, still: parts.still, follows, listeners, children }
    }

    fn rebuild(self, drawn: &mut Drawn) {
        let El(parts) = self;
        let listens = |a: &(&'static str, Handler), b: &(&'static str, Listener)| a.0 == b.0;
        let same = parts.tag == drawn.tag
            && parts.handlers.len() == drawn.listeners.len()
            && parts.handlers.iter().zip(&drawn.listeners).all(|(a, b)| listens(a, b));
        if !same {
            let mut new = El(parts).build();
            drawn.insert_before_this(&mut new);
            drawn.unmount();
            *drawn = new;
            return;
        }
        for (name, _) in &drawn.still {
            if !parts.still.iter().any(|(other, _)| other == name) {
                set(&drawn.element, name, None);
            }
        }
        for entry in &parts.still {
            if !drawn.still.contains(entry) {
                set(&drawn.element, entry.0, entry.1.as_deref());
            }
        }
        drawn.still = parts.still;
        drawn.follows.clear();
        let element = &drawn.element;
        drawn.follows.extend(parts.follows.into_iter().map(|(name, f)| follow(element, name, f)));
        for ((_, handler), (_, listener)) in parts.handlers.into_iter().zip(&drawn.listeners) {
            if let Ok(mut does) = listener.does.try_borrow_mut() {
                *does = handler;
            }
        }
        parts.children.rebuild(&mut drawn.children);
        // Why again: what it set up belonged to the last drawing and went with it.
        if let Some(visit) = parts.visit {
            visit(drawn.element.clone());
        }
    }
}

impl Mountable for Drawn {
    fn unmount(&mut self) {
        self.element.remove();
    }

    fn mount(&mut self, parent: &types::Element, marker: Option<&types::Node>) {
        let _ = parent.insert_before(&self.element, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let parent = self.element.parent_element();
        if let Some(parent) = &parent {
            child.mount(parent, Some(&self.element));
        }
        parent.is_some()
    }

    fn elements(&self) -> Vec<types::Element> {
        vec![self.element.clone()]
    }
}

/// Nobody outside adds attributes to our elements.
impl AddAnyAttr for El {
    type Output<New: Attribute> = El;

    fn add_any_attr<New: Attribute>(self, _: New) -> El {
        self
    }
}

/// What the framework asks of every view for drawing on a server, which this app never does: an
/// element is nothing there, and drawn anew here.
impl RenderHtml for El {
    type AsyncOutput = El;
    type Owned = El;
    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> El {
        self
    }

    fn to_html_with_buf(
        self,
        _: &mut String,
        _: &mut Position,
        _: bool,
        _: bool,
        _: Vec<AnyAttribute>,
    ) {
    }

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> Drawn {
        self.build()
    }

    fn into_owned(self) -> El {
        self
    }
}

/// Several views, one after the other.
macro_rules! nodes {
    ($($node:expr),* $(,)?) => {
        $crate::ui::el::Node::node(vec![$($crate::ui::el::Node::node($node)),*])
    };
}
pub(crate) use nodes;
