"""The wire contract: what a request, an event and a control message look like.

Nothing is imported here on purpose: a worker starts for every request and pays only for the part it uses.

    protocol.document       bytes -> one JSON value, or the reasons why not
    protocol.v1.request     that value -> Request
    protocol.v1.events      what a run says
    protocol.v1.control     what the caller says while a run is on
    protocol.schema         all of it as JSON Schema
"""
