<?php

declare(strict_types=1);

return [

    // Why a run failed, by the `code` of its error event. `:message` is what the worker says, in English: it is safe to
    // show, and names what `code` does not. `other` is for codes that are not here.
    'errors' => [
        'invalid_request' => 'Das ließ sich so nicht ausführen: :message',
        'forbidden' => 'Das dürfen Sie nicht ausführen.',
        'unsupported_version' => 'Die Anwendung und ihr Agent passen nicht zusammen. Der Betreiber muss sie auf den gleichen '
            . 'Stand bringen.',
        'policy_denied' => 'Das ist auf diesem Server nicht erlaubt.',
        'auth' => 'Der Dienst hat die Anmeldung der Anwendung nicht angenommen. Der Betreiber muss sie prüfen.',
        'billing' => 'Das Konto der Anwendung hat kein Guthaben mehr. Der Betreiber muss es aufladen.',
        'rate_limited' => 'Zurzeit gibt es zu viele Anfragen. Versuchen Sie es später noch einmal.',
        'overloaded' => 'Das Modell ist zurzeit überlastet. Versuchen Sie es später noch einmal.',
        'server_error' => 'Der Dienst, der antworten soll, ist gestört. Versuchen Sie es später noch einmal.',
        'network' => 'Die Verbindung zu dem Dienst, der antworten soll, ist gestört. Versuchen Sie es später noch '
            . 'einmal.',
        'gateway' => 'Zwischen der Anwendung und dem Dienst hat etwas anderes geantwortet. Der Betreiber muss es '
            . 'prüfen.',
        'model_not_found' => 'Das Modell gibt es nicht, oder die Anwendung darf es nicht verwenden.',
        'context_overflow' => 'Die Unterhaltung ist zu lang für das Modell. Beginnen Sie eine neue, oder schicken Sie '
            . 'weniger.',
        'session_not_found' => 'Diese Unterhaltung gibt es nicht.',
        'session_exists' => 'Diese Unterhaltung gibt es schon.',
        'session_busy' => 'In dieser Unterhaltung wird gerade eine andere Antwort geschrieben. Warten Sie, bis sie fertig '
            . 'ist, oder halten Sie sie an.',
        'output_schema' => 'Das Modell hat keine brauchbare Antwort gegeben.',
        'output_too_large' => 'Die Antwort ist zu groß.',
        'cli_missing' => 'Der Agent ist auf diesem Server nicht installiert.',
        'cli_crashed' => 'Der Agent ist unerwartet beendet worden. Versuchen Sie es noch einmal.',
        'state_unavailable' => 'Der Agent kann auf diesem Server nichts speichern. Der Betreiber muss es einrichten.',
        'sandbox_unavailable' => 'Der Agent kann auf diesem Server nicht abgeschirmt arbeiten. Der Betreiber muss es '
            . 'einrichten.',
        'mcp_unavailable' => 'Ein Dienst, den der Agent braucht, antwortet nicht.',
        'timeout' => 'Die Antwort hat zu lange gedauert.',
        'idle_timeout' => 'Das Modell antwortet nicht mehr. Versuchen Sie es noch einmal.',
        'worker_lost' => 'Die Antwort ist unerwartet abgebrochen. Versuchen Sie es noch einmal.',
        'internal' => 'Es ist ein Fehler aufgetreten.',
        'other' => 'Es ist ein Fehler aufgetreten (:code).',
    ],

    // Why a run was stopped before it had an answer.
    'aborted' => [
        'client' => 'Die Antwort wurde angehalten.',
        'signal' => 'Die Antwort wurde vom Server angehalten.',
        'parent_gone' => 'Die Antwort wurde vom Server angehalten.',
        'other' => 'Die Antwort wurde angehalten.',
    ],

    // What a route refuses.
    'refused' => [
        'busy' => 'Der Server ist ausgelastet. Versuchen Sie es gleich noch einmal.',
        'no_run' => 'Diese Antwort gibt es nicht.',
        'no_format' => 'Dieses Format gibt es nicht. Bekannt sind native, laravel, ai-sdk und ag-ui.',
        'run_over' => 'Diese Antwort ist schon fertig.',
        'no_question' => 'Diese Frage gibt es nicht.',
        'question_over' => 'Diese Frage ist nicht mehr offen.',
        'not_asked' => '„:question“ wurde nicht gefragt.',
        'answer' => 'Beantworten Sie „:question“ mit einem Text von 1 bis 10.000 Zeichen.',
        'answers' => 'Beantworten Sie „:question“ mit einem Text von 1 bis 10.000 Zeichen, oder mit einer Liste davon.',
        'nothing_said' => 'Sie haben dem Agenten nichts gesagt. Schreiben Sie einen Text.',
        'too_much_said' => 'Dem Agenten wurde schon zu viel gesagt. Stellen Sie eine neue Frage.',
        'not_reached' => 'Der Agent war nicht zu erreichen. Versuchen Sie es gleich noch einmal.',
        'redirected' => 'Der Server verweist auf eine andere Seite. Öffnen Sie zuerst diese.',
    ],

    // What is wrong with a field that a browser sent.
    'validation' => [
        'required' => ':Attribute fehlt.',
        'string' => ':Attribute muss ein Text sein.',
        'array' => ':Attribute muss ein Objekt sein.',
        'uuid' => ':Attribute muss eine UUID sein.',
        'max' => ':Attribute hat mehr als :max Zeichen.',
        'in' => ':Attribute muss eines von diesen sein: :values.',
        'unknown' => 'Dieses Feld wird nicht angenommen.',
    ],

    // What is wrong with a file that a browser sent along. `:max` of `too_large` is in kB.
    'attachments' => [
        'list' => 'Die Anhänge müssen eine Liste sein.',
        'form' => 'Jeder Anhang braucht einen Namen von 1 bis 255 Zeichen und seine Daten, und sonst nichts.',
        'too_many' => 'Eine Nachricht kann höchstens :max Anhänge haben.',
        'too_large' => '„:name“ ist größer als :max kB.',
        'empty' => '„:name“ ist leer.',
        'encoding' => '„:name“ ist kein Base64 mit Füllzeichen.',
        'type' => '„:name“ ist weder ein Bild (PNG, JPEG, GIF, WebP) noch ein PDF.',
    ],

    // What the fields are called.
    'attributes' => [
        'prompt' => 'die Frage',
        'conversation' => 'die Unterhaltung',
        'text' => 'der Text',
        'answers' => 'die Antwort',
        'behavior' => 'die Entscheidung',
        'message' => 'die Begründung',
    ],
];
