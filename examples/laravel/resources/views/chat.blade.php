@extends('page')
@section('title', 'Agent chat')
@section('body')
    <nav aria-label="Pages"><b>Chat</b> · <a href="/task">Task</a> · <a href="/partners">Partners</a> · <a href="/plain">Without a build</a> · <a href="/component">Blade component</a>@include('fleet-link')</nav>
    <div id="agent-chat" data-base="/agent" @if (config("agent-workers.records.enabled")) data-recorded="/agent/conversations" @endif data-hint="Ask a question, or run a tool yourself: /find_partner city=Graz needs no agent."
        data-examples='["Explain how a lighthouse works, step by step", "/find_partner city=Graz"]'
        data-attachments='@json(config("agent-workers.stream.attachments"))'></div>
@endsection
