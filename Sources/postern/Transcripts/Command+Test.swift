import JSONRPC
import Platform
import Transcripts

extension Command {
    /// Plays transcripts, each against a server of its own, and prints the results.
    ///
    /// The server is this program in another process, connected through pipes, and not a `Server` in this process: a
    /// transcript shows what a host gets, framing, flags, exit code and the end of the input included, and a server
    /// that ends is a result.
    func test(_ options: Options) throws(CommandError) {
        // A transcript with a fault ends the command before any is played.
        var plays: [(transcript: Transcript, flags: [SystemString])] = []
        for path in options.paths {
            let transcript = try Self.transcript(in: path)
            plays.append((transcript, try Self.flags(of: transcript, options)))
        }
        var results = TAPWriter { print($0) }
        results.begin(files: plays.count)
        for (transcript, flags) in plays {
            let player = try TranscriptPlayer(
                transcript,
                flags: flags,
                replyTimeoutSeconds: options.replyTimeoutSeconds
            )
            if let reason = player.play(into: &results) {
                results.bailOut(reason)
                throw .failed(reason)
            }
        }
        let (steps, failures) = results.total
        guard failures == 0 else { throw .failed("\(failures) of \(steps) steps failed") }
    }

    private static func transcript(in path: SystemString) throws(CommandError) -> Transcript {
        let isInput = path == "-"
        let text = try isInput ? TextFile.standardInput(prompt: nil) : TextFile.contents(of: path)
        do throws(TranscriptError) {
            return try Transcript(parsing: text.utf8, name: isInput ? "stdin" : "\(path)")
        } catch {
            throw .failed("\(error)")
        }
    }

    /// The flags of the server that plays a transcript: a new store in memory, unless the transcript or the command
    /// line names another. The flags of the command line come last, so they override those of the transcript.
    private static func flags(of transcript: Transcript, _ options: Options) throws(CommandError) -> [SystemString] {
        let flags = transcript.arguments.map { SystemString($0) } + options.serverFlags
        do throws(CommandError) {
            // Read as a command line of this command, which reads no variables of the environment.
            let parsed = try Options(arguments: ["test", "-"] + flags)
            guard parsed.command == .test, parsed.paths == ["-"] else { throw .usage("only flags") }
            guard !transcript.arguments.contains(where: { $0.hasPrefix("--reply-timeout") }) else {
                throw .usage("--reply-timeout is for the command line of postern test")
            }
            guard parsed.framing != .header else { throw .usage("a transcript is played with --framing line") }
        } catch {
            throw .failed("\(transcript.name):1: arguments: \(error.message)")
        }
        return ["--data=:memory:"] + flags
    }
}
