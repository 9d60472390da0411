@extends('fleet-page')
@section('title', 'Runs')
@push('styles')<link rel="stylesheet" href="/runs.css">@endpush
@section('here')<b>Runs</b>@endsection
@section('head')
  <header><h1>Runs</h1></header>
  @include('runs-filters')
@endsection
@section('live')
  @if ($runs === [] && $page === 1 && $days->sum('runs') === 0)
    <div class="blank">
      @if ($selection->filters === [])
        <h2>Nothing is recorded yet</h2>
        <p>Say something in the <a href="/">chat</a>: its run stands here as soon as it begins.</p>
      @else
        <h2>No run is like that</h2>
        <p>Choose fewer filters, or <a href="/runs">show all runs</a>.</p>
      @endif
    </div>
  @else
    <section class="charts" aria-label="Cost and failures by day">@include('runs-chart')</section>
    @if (count($runs) > 1 && $page === 1)
      <div class="tops">
        @foreach (['The slowest' => $slowest, 'The dearest' => $dearest] as $name => $texts)
          @if ($texts !== [])
            <section aria-labelledby="top-{{ $loop->index }}">
              <h2 id="top-{{ $loop->index }}">{{ $name }}</h2>
              <ol class="runs top">
                @foreach ($texts as $text)
                  <li>
                    <a href="/runs/{{ $text->run->id }}">{{ $text->title() }}</a>
                    <b>{{ $loop->parent->first ? App\Runs\RunText::duration($text->run->duration_ms) : App\Runs\RunText::usd($text->run->cost_usd) }}</b>
                  </li>
                @endforeach
              </ol>
            </section>
          @endif
        @endforeach
      </div>
    @endif
    <section aria-labelledby="of-runs">
      <h2 id="of-runs">{{ $page === 1 ? 'The latest' : "Page $page" }}</h2>
      @if ($runs === [])
        <p class="facts">No more runs are like that.</p>
      @else
        <ul class="runs">
          @foreach ($runs as $text)
            @include('runs-row')
          @endforeach
        </ul>
      @endif
      @if ($hasMore || $page > 1)
        <nav class="pages" aria-label="Pages of runs">
          @if ($page > 1)<a rel="prev" href="/runs?{{ http_build_query($selection->filters + ['page' => $page - 1]) }}">Later runs</a>@endif
          @if ($hasMore)<a rel="next" href="/runs?{{ http_build_query($selection->filters + ['page' => $page + 1]) }}">Earlier runs</a>@endif
        </nav>
      @endif
    </section>
  @endif
@endsection
