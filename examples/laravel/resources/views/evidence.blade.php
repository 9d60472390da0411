<ul class="evidence" aria-label="Evidence">
  @foreach ($evidence as $found)
    <li title="{{ $found->pointer }}"><span>{{ $found->label }}</span> {{ $found->value }}</li>
  @endforeach
</ul>
