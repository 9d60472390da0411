<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="csrf-token" content="{{ csrf_token() }}">
    <title>Agent chat</title>
    <link rel="stylesheet" href="/agent-chat.css">
    <script src="/agent-chat.js" defer></script>
  </head>
  <body>
    <div id="agent-chat" data-base="/agent"></div>
  </body>
</html>
