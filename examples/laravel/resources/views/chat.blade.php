@extends('page')
@section('title', 'Agent chat')
@section('body')
    <nav aria-label="Pages"><b>Chat</b> · <a href="/task">Task</a> · <a href="/partners">Partners</a> · <a href="/plain">Without a build</a> · <a href="/component">Blade component</a></nav>
    <div id="agent-chat" data-base="/agent" data-hint="/find_partner city=Graz runs a tool without the agent."></div>
@endsection
