<ul class="evidence" aria-label="{{ __('Evidence') }}">
  @foreach ($evidence as $found)
    <li title="{{ $found->pointer }}"><span>{{ $found->label }}</span> {{ $found->value }}</li>
  @endforeach
</ul>
