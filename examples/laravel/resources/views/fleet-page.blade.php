<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>@yield('title')</title>
    <link rel="stylesheet" href="/partners.css">
    <link rel="stylesheet" href="/fleet.css">
    @stack('styles')
    <script src="/fleet.js" type="module"></script>
  </head>
  <body>
    <nav aria-label="Pages">
      <a href="/">Chat</a> · <a href="/task">Task</a> · <a href="/partners">Partners</a> · <a href="/plain">Without a build</a> · @yield('here')
    </nav>
    <main>
      @if (request()->hasHeader('X-Refresh'))
        @php(session()->reflash()){{-- what was said is for the page that comes, in whichever tab --}}
      @elseif (session('said') !== null)
        <p class="said" role="status">{{ session('said') }}</p>
      @endif
      <p class="said stale" role="status" id="stale" hidden>This page cannot reach its server. What it shows is from before.</p>
      @yield('head')
      <div id="live">
        @yield('live')
      </div>
      @yield('rest')
    </main>
  </body>
</html>
