<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;

/** Files that a visitor sends along with a prompt. */
final class AttachmentTest extends TestCase
{
    private const PDF = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n";
    private const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9'
        . 'awAAAABJRU5ErkJggg==';
    private const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
    private const WEBP = 'UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA';
    private const JPEG = "\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xFF\xD9";

    public function testFilesBecomeBlocksBeforeTheText(): void
    {
        $fake = Agent::fake('Seen.');
        $pdf = base64_encode(self::PDF);
        $files = [self::file('a.png', self::PNG), self::file('b.pdf', $pdf)];
        $this->ask(['prompt' => 'Compare.', 'attachments' => $files])->assertOk()->streamedContent();
        self::assertSame([
            ['type' => 'image', 'source' => self::source('image/png', self::PNG)],
            ['type' => 'document', 'source' => self::source('application/pdf', $pdf), 'title' => 'b.pdf'],
            ['type' => 'text', 'text' => 'Compare.'],
        ], $fake->requests()[0]->get('prompt'));
    }

    public function testWhatAFileIsItsBytesSayAndNotItsName(): void
    {
        $fake = Agent::fake('Seen.');
        $kinds = ['image/gif' => self::GIF, 'image/webp' => self::WEBP, 'image/jpeg' => base64_encode(self::JPEG)];
        $files = array_map(static fn (string $data): array => self::file('called.pdf', $data), array_values($kinds));
        $this->ask(['prompt' => 'What is it?', 'attachments' => $files])->assertOk()->streamedContent();
        $sources = array_column($fake->requests()[0]->get('prompt'), 'source');
        self::assertSame(array_keys($kinds), array_column($sources, 'media_type'));
    }

    public function testWithoutFilesThePromptIsText(): void
    {
        $fake = Agent::fake('One', 'Two');
        $this->ask(['prompt' => 'Hi', 'attachments' => []])->assertOk()->streamedContent();
        $this->ask(['prompt' => 'Hi', 'attachments' => null])->assertOk()->streamedContent();
        self::assertSame('Hi', $fake->requests()[0]->get('prompt'));
        self::assertSame('Hi', $fake->requests()[1]->get('prompt'));
    }

    public function testAFileMayBeAsLargeAsTheConfigurationSays(): void
    {
        config(['agent-workers.stream.attachments' => ['max' => 1, 'max_kb' => 1]]);
        $fake = Agent::fake('Seen.');
        $largest = base64_encode(str_pad(self::PDF, 1024, "\n"));
        $files = [self::file('a.pdf', $largest)];
        $this->ask(['prompt' => 'Read.', 'attachments' => $files])->assertOk()->streamedContent();
        $fake->assertRanTimes(1);
    }

    /**
     * @dataProvider refused
     */
    public function testAFileIsRefusedInTheLanguageOfTheApplication(
        mixed $files,
        string $field,
        string $english,
        string $german,
    ): void {
        config(['agent-workers.stream.attachments' => ['max' => 2, 'max_kb' => 1]]);
        $fake = Agent::fake();
        foreach (['en' => $english, 'de' => $german] as $locale => $message) {
            $this->app->setLocale($locale);
            $response = $this->ask(['prompt' => 'Read.', 'attachments' => $files])->assertStatus(422);
            self::assertSame([$message], $response->json('errors')[$field]);
        }
        $fake->assertNothingRan();
    }

    /** @return array<string, array{mixed, string, string, string}> */
    public static function refused(): array
    {
        $first = 'attachments.0';
        $form = [
            'Each attachment needs a name of 1 to 255 characters and its data, and nothing else.',
            'Jeder Anhang braucht einen Namen von 1 bis 255 Zeichen und seine Daten, und sonst nichts.',
        ];
        $list = ['The attachments must be a list.', 'Die Anhänge müssen eine Liste sein.'];
        $large = ['"a" is larger than 1 kB.', '„a“ ist größer als 1 kB.'];
        $encoding = ['"a" is not in padded base64.', '„a“ ist kein Base64 mit Füllzeichen.'];
        $type = [
            '"a.png" is neither an image (PNG, JPEG, GIF, WebP) nor a PDF.',
            '„a.png“ ist weder ein Bild (PNG, JPEG, GIF, WebP) noch ein PDF.',
        ];
        $png = self::file('a', self::PNG);

        return [
            'no list' => ['a.png', 'attachments', ...$list],
            'an object' => [['a' => $png], 'attachments', ...$list],
            'too many' => [
                [$png, $png, $png],
                'attachments',
                'A message can have at most 2 attachments.',
                'Eine Nachricht kann höchstens 2 Anhänge haben.',
            ],
            'a text for a file' => [['a.png'], $first, ...$form],
            'no name' => [[['data' => self::PNG]], $first, ...$form],
            'a long name' => [[self::file(str_repeat('ä', 256), self::PNG)], $first, ...$form],
            'no data' => [[['name' => 'a']], $first, ...$form],
            'an address' => [[$png + ['url' => 'https://example.com/a.png']], $first, ...$form],
            'a byte too large' => [[self::file('a', base64_encode(str_pad(self::PDF, 1025)))], $first, ...$large],
            'far too large' => [[self::file('a', str_repeat('A', 4000))], $first, ...$large],
            'an empty file' => [[self::file('a', '')], $first, '"a" is empty.', '„a“ ist leer.'],
            'no base64' => [[self::file('a', 'Not base64!')], $first, ...$encoding],
            'base64 without padding' => [[self::file('a', rtrim(self::PNG, '='))], $first, ...$encoding],
            'base64 with line breaks' => [[self::file('a', chunk_split(self::PNG, 4, "\r\n "))], $first, ...$encoding],
            'HTML by the name of an image' => [[self::file('a.png', base64_encode('<html><b>Hi'))], $first, ...$type],
            'SVG by the name of an image' => [
                [self::file('a.png', base64_encode('<svg xmlns="http://www.w3.org/2000/svg"/>'))],
                $first,
                ...$type,
            ],
            'the second one' => [[$png, self::file('a.png', base64_encode('Text'))], 'attachments.1', ...$type],
        ];
    }

    /**
     * @dataProvider off
     *
     * @param array<string, int>|null $setting
     */
    public function testWhereTheConfigurationAllowsNoneTheFieldIsUnknown(?array $setting): void
    {
        config(['agent-workers.stream.attachments' => $setting]);
        $fake = Agent::fake();
        $this->ask(['prompt' => 'Read.', 'attachments' => [self::file('a', self::PNG)]])->assertStatus(422)
            ->assertJsonPath('errors.attachments.0', 'This field is not accepted.');
        $fake->assertNothingRan();
    }

    /** @return array<string, array{array<string, int>|null}> */
    public static function off(): array
    {
        return ['none' => [['max' => 0, 'max_kb' => 4096]], 'a configuration that was published before' => [null]];
    }

    public function testAPromptWithAFileIsForTheAgentAndNoCommand(): void
    {
        Agent::allowCommand('find_partner', true);
        $fake = Agent::fake('Seen.');
        $files = [self::file('a', self::PNG)];
        $this->ask(['prompt' => '/find_partner city=Graz', 'attachments' => $files])->assertOk()->streamedContent();
        self::assertSame('/find_partner city=Graz', $fake->requests()[0]->get('prompt')[1]['text']);
    }

    /** @return array{name: string, data: string} */
    private static function file(string $name, string $data): array
    {
        return ['name' => $name, 'data' => $data];
    }

    /** @return array{type: string, media_type: string, data: string} */
    private static function source(string $type, string $data): array
    {
        return ['type' => 'base64', 'media_type' => $type, 'data' => $data];
    }
}
