import PosternTranscripts
import Transcripts

extension PosternProcess {
    /// The flags that start deterministic mode, as all transcripts use them.
    package static var deterministicFlags: [String] {
        get throws { try Transcript.deterministicFlags }
    }

    /// A process in deterministic mode.
    package static func deterministic(_ arguments: [String] = []) throws -> PosternProcess {
        try PosternProcess(deterministicFlags + arguments)
    }
}
