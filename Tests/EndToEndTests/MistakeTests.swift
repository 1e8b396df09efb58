import Accounts
import Foundation
import JSON
import PosternTesting
import Testing

/// Mistakes of beginners, and the one-line error that says what to do instead.
struct MistakeTests {
    /// The names of the groups of tools: the APIs, and `system` for the service itself.
    private static let toolGroups = ErrorCode.API.allCases.filter { $0 != .admin }.map {
        $0 == .service ? "system" : $0.rawValue
    }
    .joined(separator: ",")

    /// A command line with a mistake, and the whole error line.
    struct Mistake: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let environment: [String: String]
        let line: String

        init(_ arguments: [String], environment: [String: String] = [:], _ line: String) {
            self.arguments = arguments
            self.environment = environment
            self.line = line
        }

        var testDescription: String { arguments.joined(separator: " ") }
    }

    private static let commandLine: [Mistake] = [
        Mistake(["--dta", "x"], "unknown flag --dta (did you mean --data?)"),
        Mistake(["--Log_Level", "info"], "unknown flag --Log_Level (did you mean --log-level?)"),
        Mistake(["-data", "x"], "unknown flag -data (did you mean --data?)"),
        Mistake(
            ["--port", "8080"],
            "unknown flag --port: postern has no port, requests come on stdin and replies go to stdout"
        ),
        Mistake(
            ["--listen=:80"],
            "unknown flag --listen=:80: postern has no port, requests come on stdin and replies go to stdout"
        ),
        Mistake(["server"], "unknown command server (did you mean serve?)"),
        Mistake(["./data"], "unknown command ./data; for a data directory, write --data ./data"),
        Mistake(
            ["operators.signin", "{}"],
            "unknown command operators.signin; to call a method, write postern call operators.signin"
        ),
        Mistake(["help", "outbux"], "unknown command outbux (did you mean outbox?)"),
        Mistake(["--password-policy", "NIST"], "--password-policy takes documented|nist, not NIST"),
        Mistake(["--password-length", "0"], "--password-length takes NUMBER, not 0: from 1 to 64"),
        Mistake(["--password-length", "65"], "--password-length takes NUMBER, not 65: from 1 to 64"),
        Mistake(["--password-length", "long"], "--password-length takes NUMBER, not long: from 1 to 64"),
        Mistake(["--password-list"], "--password-list needs a value"),
        Mistake(
            ["stats", "--password-policy", "nist"],
            "--password-policy is not a flag of postern stats, but of postern serve, postern call, postern account, "
                + "postern test"
        ),
        Mistake(["import", "--from", "csv", "users.csv"], "--from needs --api, --confirmed and FILE"),
        Mistake(
            ["import", "--from", "csv", "--api", "care", "--confirmed", "no"],
            "--from needs --api, --confirmed and FILE"
        ),
        Mistake(
            ["import", "users.csv", "--api", "care"],
            "--api, --confirmed, --skip-invalid and --firebase-hash need --from"
        ),
        Mistake(
            ["import", "users.csv", "--skip-invalid"],
            "--api, --confirmed, --skip-invalid and --firebase-hash need --from"
        ),
        Mistake(["import", "--from", "auth0", "users"], "--from takes django|firebase|csv, not auth0"),
        Mistake(
            ["import", "--from", "csv", "users", "--api", "users"],
            "--api takes operators|care|sales, not users"
        ),
        Mistake(["import", "--from", "csv", "users", "--confirmed", "maybe"], "--confirmed takes yes|no, not maybe"),
        Mistake(
            ["stats", "--role", "admin"],
            "--role is not a flag of postern stats, but of postern invite, postern verify, postern helper"
        ),
        Mistake(
            ["--mail", "smtp:mail.example.com"],
            "--mail takes keep|directory:DIR|command:COMMAND|smtp://HOST|smtps://HOST|host, not smtp:mail.example.com: "
                + "smtp://[USER@]HOST[:PORT][/NAME], with the password in --mail-password-file"
        ),
        Mistake(
            ["--clock", "2016-02-24", "--seed", "7"],
            "--clock takes TIME, not 2016-02-24: a date and a time with microseconds in UTC, such as "
                + "2016-02-24T22:07:52.371513Z"
        ),
        Mistake(
            ["--tools", "operator"],
            "--tools takes \(toolGroups)|read-only, not operator"
        ),
        Mistake(
            ["call", "system.info", #"{email:"x"}"#],
            "the params are not JSON: expected a property name in double quotes at byte 1; they are NAME=VALUE, as in "
                + #"email=a@b.co, or JSON, as in '{"email":"a@b.co"}', or - for JSON on stdin"#
        ),
        Mistake(
            ["call", "system.info", "-"],
            "stdin: the params are not JSON: the text ends where a JSON value is expected at byte 0; they are NAME=VALUE, "
                + #"as in email=a@b.co, or JSON, as in '{"email":"a@b.co"}', or - for JSON on stdin"#
        ),
        Mistake(
            ["call", "system.info", "email", "a@b.co"],
            "postern call takes params as NAME=VALUE, or as one argument of JSON"
        ),
        Mistake(
            ["call", "system.info", "email=@"],
            "@ needs the name of a file, as in email=@FILE"
        ),
        Mistake(["backup", ""], "an argument is empty"),
        Mistake(["--public-url", "http://"], "--public-url takes URL, not http://"),
        Mistake(["--public-url", "https://a.co/\u{A0}x"], "--public-url takes URL, not https://a.co/\u{A0}x"),
        Mistake(["--public-url", "https://a.co/\"x"], "--public-url takes URL, not https://a.co/\"x"),
        Mistake(["--public-url", "https:///accounts"], "--public-url takes URL, not https:///accounts"),
        Mistake(
            ["--public-url", "https://a.co/our accounts"],
            "--public-url takes URL, not https://a.co/our accounts"
        ),
        Mistake(
            ["--data", ":memory:"],
            environment: ["POSTERN_FRAMING": "lines"],
            "POSTERN_FRAMING takes auto|line|header, not lines"
        ),
    ]

    @Test(arguments: commandLine)
    func explainsAWrongCommandLine(mistake: Mistake) throws {
        let outcome = try PosternProcess.run(mistake.arguments, environment: mistake.environment)
        #expect(outcome.status == 64 && outcome.output == "")
        #expect(outcome.errors == "postern: \(mistake.line); see postern --help\n")
    }

    /// A misspelt variable was once ignored silently.
    @Test(arguments: [
        ("POSTERN_DTA", "unknown environment variable POSTERN_DTA (did you mean POSTERN_DATA?)"),
        ("POSTERN_PORTS", "unknown environment variable POSTERN_PORTS"),
    ])
    func warnsAboutAnUnknownVariable(name: String, message: String) throws {
        let environment = [name: "x", "POSTERN_BIN": "/usr/bin/postern", "POSTERN_DATA": ":memory:"]
        let outcome = try PosternProcess.run([], environment: environment)
        #expect(outcome.status == 0)
        #expect(outcome.errors.hasSuffix(" level=warning message=\"\(message)\"\n"))
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    /// Once, only servers, calls and the outbox command warned.
    @Test(arguments: ["stats", "check", "compact", "backup", "export", "invite"])
    func eachCommandWarnsAboutAnUnknownVariable(command: String) throws {
        let folder = TemporaryDirectory()
        try PosternProcess.run(["--data", folder.path("store")])
        let words = [command] + (command == "backup" ? [folder.path("copy")] : []) + ["--data", folder.path("store")]
        let outcome = try PosternProcess.run(words, environment: ["POSTERN_DTA": "x"])
        #expect(outcome.status == 0 && outcome.errors.contains("did you mean POSTERN_DATA?"), "\(outcome.errors)")
    }

    /// The list of variables that cause no warning once contained a name that no client reads.
    @Test func allowsExactlyTheVariablesThatTheClientsRead() throws {
        let clients = PosternProcess.repository.appending(path: "clients")
        let files = try #require(FileManager.default.enumerator(at: clients, includingPropertiesForKeys: nil))
        var read: Set<String> = []
        for case let file as URL in files where ["py", "js", "go", "swift"].contains(file.pathExtension) {
            let text = try String(contentsOf: file, encoding: .utf8)
            let reads = /(?:env\.|environ\.get\("|[gG]etenv\("|environment\(")(POSTERN_[A-Z_]+)/
            read.formUnion(text.matches(of: reads).map { String($0.1) })
        }
        // A client also reads variables of flags, to know what the program will do.
        let help = try PosternProcess.run(["help"]).output
        read = read.filter { name in
            let flag = name.dropFirst("POSTERN_".count).lowercased().replacing("_", with: "-")
            return !help.contains("  --\(flag) ")
        }
        #expect(read.contains("POSTERN_BIN"))
        let source = PosternProcess.repository.appending(path: "Sources/postern/EnvironmentNames.swift")
        let listed = try String(contentsOf: source, encoding: .utf8).matches(of: /"(POSTERN_[A-Z_]+[A-Z])"/)
        #expect(Set(listed.map { String($0.1) }) == read)
        let environment = Dictionary(uniqueKeysWithValues: read.map { ($0, "1") })
        #expect(try PosternProcess.run(["--data", ":memory:"], environment: environment).errors == "")
    }

    /// A command on a directory without a store once created an empty store.
    @Test(arguments: [["call", "system.info"], ["outbox", "list"], ["stats"], ["check"], ["export"], ["compact"]])
    func namesAMissingStoreAndDoesNotCreateIt(command: [String]) throws {
        let folder = TemporaryDirectory()
        let place = folder.path("nowhere")
        let outcome = try PosternProcess.run(command + ["--data", place])
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(
            outcome.errors
                == "postern: there is no store at \(place); give its directory with --data, or create a store with postern "
                + "serve\n"
        )
        #expect(!FileManager.default.fileExists(atPath: place))
    }

    /// A host's input, and the message of the first error reply.
    struct WireMistake: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let input: String
        let message: String

        init(_ input: String, arguments: [String] = [], _ message: String) {
            (self.input, self.arguments, self.message) = (input, arguments, message)
        }

        var testDescription: String { input }
    }

    private static func signIn(_ params: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"operators.signin","params":"# + params + "}"
    }

    private static let http =
        "Invalid Request: this is an HTTP request; Postern speaks JSON-RPC 2.0 on stdin and stdout, and the program that "
        + "starts it serves HTTP"

    private static let wire: [WireMistake] = [
        WireMistake("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", http),
        WireMistake("GET /users HTTP/1.1\r\n\r\n", http),
        WireMistake(
            "{\n  \"jsonrpc\": \"2.0\",\n  \"id\": 1\n}",
            "Parse error at byte 1: the text ends where a property name in double quotes or } is expected; each message is "
                + "one line, so send JSON without line breaks, as jq -c prints it"
        ),
        WireMistake(
            "{\"jsonrpc\": \"2.0\",\n \"id\": 1}",
            "Parse error at byte 18: the text ends where a property name in double quotes is expected; each message is "
                + "one line, so send JSON without line breaks, as jq -c prints it"
        ),
        WireMistake(
            "Content-Length: 46\r\n\r\n" + #"{"jsonrpc":"2.0","id":1,"method":"system.info"}"#,
            "Parse error at byte 46: the text ends where a comma or } is expected; Content-Length counts bytes"
        ),
        WireMistake(
            #"{jsonrpc:"2.0","id":1,"method":"system.info"}"#,
            "Parse error at byte 1: expected a property name in double quotes"
        ),
        WireMistake(#"{"id":1,"method":"system.info"}"#, #"Invalid Request: jsonrpc must be "2.0""#),
        WireMistake(
            #"{"jsonrpc":"1.0","id":1,"method":"system.info"}"#,
            #"Invalid Request: jsonrpc must be "2.0""#
        ),
        WireMistake(#"{"jsonrpc":"2.0","id":1}"#, "Invalid Request: method is missing"),
        WireMistake(
            #"{"jsonrpc":"2.0","id":{},"method":"system.info"}"#,
            "Invalid Request: id must be a string, a number or null"
        ),
        WireMistake(
            #"{"jsonrpc":"2.0","id":1,"method":"operators.signIn"}"#,
            "Method not found: operators.signIn (did you mean operators.signin?)"
        ),
        WireMistake(
            #"{"jsonrpc":"2.0","id":1,"method":"system.outbox"}"#,
            "Method not found: system.outbox exists with --data :memory:, --clock and --seed only"
        ),
        WireMistake(
            signIn(#"["a@b.co","p"]"#),
            "Invalid params: operators.signin takes an object with email, password"
        ),
        WireMistake(
            signIn(#"{"emial":"a@b.co","password":"p"}"#),
            "Email field missing. There is no property emial (did you mean email?)."
        ),
        WireMistake(
            signIn(#"{"email":"a@b.co","password":"p","emial":"a@b.co"}"#),
            arguments: ["--strict-params"],
            "Invalid params: operators.signin has no property emial (did you mean email?)"
        ),
        WireMistake(
            signIn(#"{"email":5,"password":"p"}"#),
            "Email field invalid. Expected a string."
        ),
        WireMistake(
            #"{"jsonrpc":"2.0","id":1,"method":"operators.clients.get","params":{"user_id":"1","session_id":"x","provision":0}}"#,
            "User id field invalid. Expected an integer."
        ),
        WireMistake(
            #"{"jsonrpc":"2.0","id":1,"method":"operators.register","params":{"user":"Luke","password":"p"}}"#,
            "User field invalid. Expected an object."
        ),
    ]

    @Test(arguments: wire)
    func explainsAWrongMessage(mistake: WireMistake) throws {
        let arguments = ["--data", ":memory:"] + mistake.arguments
        let output = try PosternProcess.run(arguments, input: mistake.input, shell: #""$@"; echo"#).output
        let replies = output.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("{") }
        // In header framing, the next reply follows without a line feed.
        let parts = (replies.first.map(String.init) ?? "").components(separatedBy: "}Content-Length")
        let first = parts[0] + (parts.count > 1 ? "}" : "")
        #expect(try JSONValue(parsing: first)["error"]?["message"]?.string == mistake.message)
    }
}
