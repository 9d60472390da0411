@extends('fleet-page')
@section('title', 'Fleet')
@section('here')<b>Fleet</b>@endsection
@section('head')<header><h1>Fleet</h1></header>@endsection
@section('live')
  <div class="blank" role="alert">
    @if ($isAway)
      <h2>Redis does not answer</h2>
      <p>Runs go on, and what they say is written when it is back. This page looks again by itself.</p>
    @else
      <h2>There is no fleet</h2>
      <p>Chats and tasks run on this server, beside its requests.</p>
    @endif
    <p class="facts">{{ $why }}</p>
  </div>
@endsection
