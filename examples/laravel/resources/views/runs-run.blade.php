@extends('fleet-page')
@section('title', "Run {$text->run->id}")
@push('styles')<link rel="stylesheet" href="/runs.css">@endpush
@section('here')<a href="/runs">Runs</a>@endsection
@section('head')<header><h1 class="name">{{ $text->title() }}</h1></header>@endsection
@section('live')
  <div class="run alone {{ $text->tone() }}">
    <div class="head">
      <span class="mark" data-testid="state">{{ $text->state() }}</span>
      <p class="facts">@include('fleet-time', ['moment' => $text->moment()])@if ($text->code() !== null) · {{ $text->code() }}@endif</p>
      @can('operate-runs')
        <div class="buttons">
          @if ($text->isRunning())
            <form method="post" action="/runs/{{ $text->run->id }}/abort">@csrf<button id="abort" class="stop">Stop</button></form>
          @else
            @if ($obstacle === null)
              <form method="post" action="/runs/{{ $text->run->id }}/retry">@csrf<button id="retry">Retry</button></form>
            @endif
            <form method="post" action="/runs/{{ $text->run->id }}/drop" data-confirm="Drop all that is recorded of this run, for good?">@csrf<button id="drop" class="stop">Drop</button></form>
          @endif
        </div>
      @endcan
    </div>
    <dl class="more">
      @foreach ($text->facts() as $name => $fact)
        <div @if (mb_strlen($fact) > 60) class="broad" @endif><dt>{{ $name }}</dt><dd>{{ $fact }}</dd></div>
      @endforeach
    </dl>
    @if (in_array($text->run->status, ['error', 'aborted'], true) && $obstacle !== null)
      @can('operate-runs')<p class="facts">{{ $obstacle }}</p>@endcan
    @endif
  </div>
  <section aria-labelledby="of-steps">
    <h2 id="of-steps">What happened</h2>
    @if ($steps === [])
      <p class="facts">Nothing is recorded of its course.</p>
    @else
      <ol class="course">
        @foreach ($steps as $step)
          <li class="{{ $step['tone'] }}">
            <span class="facts since">{{ $step['since'] }}</span>
            <div class="what">
              <b>{{ $step['what'] }}</b>
              @if ($step['isLong'])
                <details id="step-{{ $loop->index }}"><summary>{{ mb_strimwidth(App\Runs\RunText::line($step['said']), 0, 140, '…') }}</summary><pre tabindex="0">{{ $step['said'] }}</pre></details>
              @elseif ($step['said'] !== '')
                <p class="said-so">{{ $step['said'] }}</p>
              @endif
            </div>
          </li>
        @endforeach
      </ol>
    @endif
  </section>
  @if ($text->usage() !== [])
    <section aria-labelledby="of-usage">
      <h2 id="of-usage">What it used</h2>
      <div class="wide" tabindex="0" role="group" aria-labelledby="of-usage">
        <table>
          <thead><tr>@foreach (array_keys($text->usage()[0]) as $name)<th scope="col">{{ $name }}</th>@endforeach</tr></thead>
          <tbody>
            @foreach ($text->usage() as $row)
              <tr>@foreach ($row as $cell)@if ($loop->first)<th scope="row">{{ $cell }}</th>@else<td>{{ $cell }}</td>@endif @endforeach</tr>
            @endforeach
          </tbody>
        </table>
      </div>
    </section>
  @endif
@endsection
