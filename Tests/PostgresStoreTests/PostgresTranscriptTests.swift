#if Postgres
    import PosternTesting
    import PosternTranscripts
    import Transcripts
    import Testing

    /// Plays the transcripts of schema/cases with the real binary on a real server: all replies are those of a
    /// directory.
    @Suite(.timeLimit(.minutes(10)))
    struct PostgresTranscriptTests {
        @Test(arguments: try Transcript.all())
        func getTheExpectedReplies(_ transcript: Transcript) throws {
            let database = try TestDatabase()
            try database.makeTestStore()
            let flags = try Transcript.deterministicFlags.map { $0 == ":memory:" ? database.address : $0 }
            let outcome = try PosternProcess.run(["test", transcript.path] + flags)
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }
#endif
