<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="csrf-token" content="{{ csrf_token() }}">
    <title>@yield('title')</title>
    @section('head')
    <link rel="stylesheet" href="/agent-chat.css">
    <script src="/agent-chat.js" defer></script>
    @show
    <style>
      :root { color-scheme: light dark; background: #fff; }
      @media (prefers-color-scheme: dark) { :root { background: #17171b; } }
      body { display: flex; flex-direction: column; height: 100dvh; margin: 0; }
      nav { padding: 0.5rem 1rem; font: 0.85rem/1.55 system-ui, sans-serif; text-align: center; }
      nav + div, agent-chat { flex: 1; min-height: 0; }
    </style>
  </head>
  <body>
    @yield('body')
  </body>
</html>
