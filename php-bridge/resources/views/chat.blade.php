@once
<script type="module" src="{{ $script }}"@if ($nonce) nonce="{{ $nonce }}"@endif></script>
@endonce
<agent-chat {{ $attributes->merge($element) }}>{{ $slot }}</agent-chat>
