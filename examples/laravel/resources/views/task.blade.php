@extends('page')
@section('title', 'Agent task')
@section('body')
    <nav aria-label="Pages"><a href="/">Chat</a> · <b>Task</b> · <a href="/partners">Partners</a> · <a href="/plain">Without a build</a> · <a href="/component">Blade component</a>@include('fleet-link')</nav>
    <div id="agent-task" data-base="/task" @if (config("agent-workers.records.enabled")) data-recorded="/agent/tasks" @endif data-attachments='@json(config("agent-workers.stream.attachments"))'></div>
@endsection
