<!doctype html>
<html lang="{{ app()->getLocale() }}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="csrf-token" content="{{ csrf_token() }}">
    <title>{{ __('Partners') }}</title>
    <link rel="stylesheet" href="/partners.css">
    <script src="/partners.js" type="module"></script>
  </head>
  <body>
    <nav aria-label="Pages">
      <a href="/">Chat</a> · <a href="/task">Task</a> · <b>Partners</b> · <a href="/plain">Without a build</a>@include('fleet-link')
    </nav>
    <main data-words="{{ json_encode((object) $words) }}">
      <header>
        <h1>{{ __('Partners') }}</h1>
        @if ($cards->isNotEmpty())
          <ul class="counts">
            @foreach ($counts as $selector => [$count, $name])
              <li data-of="{{ $selector }}" @if ($count === 0) hidden @endif><b>{{ $count }}</b> {{ $name }}</li>
            @endforeach
          </ul>
        @endif
      </header>
      @forelse ($cards as $card)
        @include('partner')
      @empty
        <p class="empty">There are no partners yet. <code>php artisan migrate --seed</code> brings a dozen.</p>
      @endforelse
    </main>
  </body>
</html>
