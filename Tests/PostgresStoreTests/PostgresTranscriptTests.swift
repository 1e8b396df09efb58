#if Postgres
    import JSON
    import PosternTesting
    import PosternTranscripts
    import Testing

    /// Plays the transcripts of schema/cases with the real binary on a real server: all replies are those of a directory.
    @Suite(.timeLimit(.minutes(10)))
    struct PostgresTranscriptTests {
        @Test(arguments: try Transcript.all())
        func getTheExpectedReplies(_ transcript: Transcript) async throws {
            let database = try TestDatabase()
            try database.makeTestStore()
            let flags = try Transcript.deterministicFlags.map { $0 == ":memory:" ? database.address : $0 }
            let postern = try PosternProcess(flags + transcript.arguments)
            let failures = try await transcript.play { request, step in
                postern.send(request.text)
                return step.expected == nil ? nil : try postern.nextReply()
            }
            #expect(failures == [])
            #expect(postern.finish() == "")
        }
    }
#endif
