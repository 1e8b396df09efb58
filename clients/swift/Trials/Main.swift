import Foundation
import JSON
import PosternClient
import PosternTranscripts

/// What the client is tried with, beside its tests:
///
///     PosternClientTrials replay [FOLDER]   plays all transcripts and prints a line of JSON a reply
///     PosternClientTrials bench             measures a call, and prints a line of JSON
///     PosternClientTrials opening           measures opening, and prints a line of JSON
///     PosternClientTrials stay              starts Postern and another process, prints both numbers, and stays
///     PosternClientTrials outlive           prints what a call ends with that the program does not read
///     PosternClientTrials scrimp            prints what becomes of opening where descriptors run out
///     PosternClientTrials unaware           prints what a call ends with where SIGCHLD is ignored
///
/// The program is the one that POSTERN_BIN names, or the `postern` on PATH.
@main
struct Main {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case "replay":
            let folder = CommandLine.arguments.dropFirst(2).first ?? Transcript.folder
            for transcript in try Transcript.all(in: folder) {
                let replay = try await Replay(of: transcript)
                for reply in replay.replies { print(reply) }
            }
        case "bench": print(try await Bench().report.text)
        case "opening": print(try await Bench.opening().text)
        case "stay": try await Host.stay()
        case "outlive": try await Host.outlive()
        case "scrimp": try await Host.scrimp()
        case "unaware": try await Host.unaware()
        default:
            FileHandle.standardError.write(
                Data(
                    "usage: PosternClientTrials replay [FOLDER] | bench | opening | stay | outlive | scrimp | unaware\n"
                        .utf8
                )
            )
            exit(64)
        }
    }
}
