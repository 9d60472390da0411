@extends('page')
@section('title', 'Agent chat')
@section('body')
    <nav aria-label="Pages"><b>Chat</b> · <a href="/task">Task</a> · <a href="/partners">Partners</a> · <a href="/plain">Without a build</a> · <a href="/component">Blade component</a>@include('fleet-link')</nav>
    {{-- With AGENT_GATEWAY_URL the browser asks the gateway, by tokens of /agent/token. It takes no files, and what it says is not recorded here. --}}
    <div id="agent-chat" data-base="/agent" data-gateway="{{ config('agent-workers.gateway.url') }}"
        @if (config("agent-workers.records.enabled") && !config("agent-workers.gateway.url")) data-recorded="/agent/conversations" @endif
        data-hint="Ask a question, or run a tool yourself: /find_partner city=Graz needs no agent."
        data-examples='["Explain how a lighthouse works, step by step", "/find_partner city=Graz"]'
        data-attachments='@json(config("agent-workers.gateway.url") ? null : config("agent-workers.stream.attachments"))'></div>
@endsection
