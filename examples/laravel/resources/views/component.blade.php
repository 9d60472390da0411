@extends('page')
@section('title', 'Agent chat by a Blade component')
@section('head')
@endsection
@section('body')
    <nav aria-label="Pages"><a href="/">Chat</a> · <a href="/task">Task</a> · <a href="/partners">Partners</a> · <a href="/plain">Without a build</a> · <b>Blade component</b>@include('fleet-link')</nav>
    @if ($task)
        <x-agent-workers::chat endpoint="/task" runs="/task">Say what is to be done. You are asked before the agent changes anything.</x-agent-workers::chat>
    @else
        <x-agent-workers::chat gateway placeholder="Ask me">/find_partner city=Graz runs a tool without the agent.</x-agent-workers::chat>
    @endif
@endsection
