//! A pipeline that runs: documents in, steps out.

use std::collections::VecDeque;

use ::bson::RawDocumentBuf;

use super::options::Options;
use super::request::Write;
use super::stage::{Documents, Flow, Operator, Pipeline, Read, Request};
use crate::error::{Code, Error};
use crate::expression::Variables;
use crate::interrupt::Interrupt;

/// A pipeline that runs. It does no I/O: what it needs it asks for.
pub struct Execution {
    slots: Vec<Slot>,
    output: Documents,
    /// The stage that waits for an answer.
    waiting: Option<usize>,
    /// The stage that had an answer, and may ask again before it takes a document.
    answered: Option<usize>,
    input_ended: bool,
    interrupt: Interrupt,
}

/// The bytes of a document between two stages: more than one that is stored may have.
const MOST_BYTES: usize = 64 * 1024 * 1024;

fn check_size(document: &RawDocumentBuf) -> Result<(), Error> {
    let bytes = document.as_bytes().len();
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::new(
        Code::BSON_OBJECT_TOO_LARGE,
        format!("a stage makes a document of {bytes} bytes: expected at most {MOST_BYTES}"),
    ))
}

/// What a pipeline does next.
#[derive(Debug)]
pub enum Step {
    /// A document of the result.
    Document(RawDocumentBuf),
    /// Further documents are needed: [`Execution::push`] or [`Execution::end`].
    NeedInput,
    /// Documents of another collection are needed: [`Execution::answer`].
    Read(Box<Read>),
    /// Documents are to be written: [`Execution::answer`] with none when it is done.
    Write(Box<Write>),
    /// There is nothing more, whatever input there is.
    Done,
}

struct Slot {
    operator: Box<dyn Operator>,
    input: Documents,
    input_ended: bool,
    finished: bool,
}

impl Execution {
    /// Begin.
    #[must_use]
    pub fn new(pipeline: &Pipeline, variables: &Variables, options: &Options) -> Self {
        let slots = pipeline.stages().iter().map(|stage| Slot {
            operator: stage.operator(variables, options),
            input: VecDeque::new(),
            input_ended: false,
            finished: false,
        });
        Self {
            slots: slots.collect(),
            output: VecDeque::new(),
            waiting: None,
            answered: None,
            input_ended: false,
            interrupt: variables.interrupt().clone(),
        }
    }

    /// Give a document to the first stage.
    pub fn push(&mut self, document: RawDocumentBuf) {
        match self.slots.first_mut() {
            Some(slot) if slot.finished => {}
            Some(slot) => slot.input.push_back(document),
            None => self.output.push_back(document),
        }
    }

    /// There are no further documents.
    pub fn end(&mut self) {
        self.input_ended = true;
        if let Some(slot) = self.slots.first_mut() {
            slot.input_ended = true;
        }
    }

    /// What comes next.
    ///
    /// # Errors
    ///
    /// Those of the stages. Nothing can be done with the execution after one.
    pub fn step(&mut self) -> Result<Step, Error> {
        loop {
            self.interrupt.check()?;
            if let Some(document) = self.output.pop_front() {
                return Ok(Step::Document(document));
            }
            if self.waiting.is_some() {
                return Err(Error::new(
                    Code::INTERNAL_ERROR,
                    "expected an answer to the pipeline's request before its next step",
                ));
            }
            if let Some(step) = self.asked_again() {
                return Ok(step);
            }
            let Some(last) = self.slots.last() else {
                return Ok(if self.input_ended { Step::Done } else { Step::NeedInput });
            };
            if last.finished {
                return Ok(Step::Done);
            }
            let Some(place) = self.ready() else { return Ok(Step::NeedInput) };
            if let Some(request) = self.run(place)? {
                return Ok(self.wait(place, request));
            }
        }
    }

    /// What the stage that had an answer asks for next.
    fn asked_again(&mut self) -> Option<Step> {
        let place = self.answered.take()?;
        let request = self.slots.get_mut(place)?.operator.request()?;
        Some(self.wait(place, request))
    }

    fn wait(&mut self, place: usize, request: Request) -> Step {
        self.waiting = Some(place);
        match request {
            Request::Read(read) => Step::Read(read),
            Request::Write(write) => Step::Write(write),
        }
    }

    /// Answer [`Step::Read`] or [`Step::Write`].
    ///
    /// # Errors
    ///
    /// Those of the stage that asked.
    pub fn answer(&mut self, documents: Vec<RawDocumentBuf>) -> Result<(), Error> {
        let Some(place) = self.waiting.take() else { return Ok(()) };
        self.answered = Some(place);
        let (slot, out) = self.slot_and_output(place);
        match slot {
            Some(slot) => slot.operator.answer(documents, out),
            None => Ok(()),
        }
    }

    /// The last stage that can do something.
    fn ready(&self) -> Option<usize> {
        for (place, slot) in self.slots.iter().enumerate().rev() {
            if slot.finished {
                return None;
            }
            if !slot.input.is_empty() || slot.input_ended || slot.operator.has_rest() {
                return Some(place);
            }
        }
        None
    }

    /// Let a stage take a document or its end; what it asks for.
    fn run(&mut self, place: usize) -> Result<Option<Request>, Error> {
        let (slot, out) = self.slot_and_output(place);
        let Some(slot) = slot else { return Ok(None) };
        if slot.operator.has_rest() {
            slot.operator.rest(out)?;
            return Ok(None);
        }
        let finished = match slot.input.pop_front() {
            Some(document) => slot.operator.push(document, out)? == Flow::Done,
            None => {
                slot.operator.end(out)?;
                !slot.operator.has_more()
            }
        };
        if let Some(made) = out.back() {
            check_size(made)?;
        }
        // A stage that asks goes on after the answer: its end is called again.
        let request = slot.operator.request();
        if request.is_none() && finished {
            self.finish(place);
        }
        Ok(request)
    }

    /// A stage is done, and with it all before it.
    fn finish(&mut self, place: usize) {
        for slot in self.slots.iter_mut().take(place + 1) {
            slot.finished = true;
            slot.input.clear();
        }
        if let Some(next) = self.slots.get_mut(place + 1) {
            next.input_ended = true;
        }
    }

    fn slot_and_output(&mut self, place: usize) -> (Option<&mut Slot>, &mut Documents) {
        match self.slots.get_mut(place..) {
            Some([slot, next, ..]) => (Some(slot), &mut next.input),
            Some([slot]) => (Some(slot), &mut self.output),
            _ => (None, &mut self.output),
        }
    }
}
