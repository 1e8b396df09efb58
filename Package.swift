// swift-tools-version: 6.2
import PackageDescription

/// Every target is held to the same rules: existentials are spelled out, imports stay internal unless said
/// otherwise, and a member is only visible where its module is imported.
let houseRules: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "postern",
    products: [
        .executable(name: "postern", targets: ["postern"]),
        .library(name: "PosternClient", targets: ["PosternClient"]),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),

        .target(
            name: "Platform",
            dependencies: [.target(name: "CLinux", condition: .when(platforms: [.linux]))],
            swiftSettings: houseRules
        ),
        .target(name: "JSON", dependencies: ["Platform"], swiftSettings: houseRules),
        .target(name: "JSONRPC", dependencies: ["JSON", "Platform"], swiftSettings: houseRules),
        .target(name: "Store", dependencies: ["JSON", "Platform"], swiftSettings: houseRules),
        .target(name: "Accounts", dependencies: ["CSodium", "JSON", "Platform", "Store"], swiftSettings: houseRules),
        .target(
            name: "Mail",
            dependencies: ["Accounts", "CSodium", "Store", "Platform"],
            resources: [.embedInCode("Templates")],
            swiftSettings: houseRules
        ),
        .target(
            name: "Service",
            dependencies: ["Accounts", "JSON", "JSONRPC", "Platform", "Store"],
            swiftSettings: houseRules
        ),
        .executableTarget(
            name: "postern",
            dependencies: ["Accounts", "JSON", "JSONRPC", "Mail", "Service", "Store", "Platform"],
            swiftSettings: houseRules
        ),
        .executableTarget(name: "PosternSchema", dependencies: ["JSON", "Platform"], swiftSettings: houseRules),

        .target(
            name: "PosternClient",
            dependencies: ["JSON", "Platform"],
            path: "clients/swift/Sources/PosternClient",
            swiftSettings: houseRules
        ),
        .executableTarget(
            name: "PosternClientExample",
            dependencies: ["PosternClient"],
            path: "clients/swift/Example",
            swiftSettings: houseRules
        ),
        .executableTarget(
            name: "PosternClientTrials",
            dependencies: ["JSON", "PosternClient", "PosternTranscripts"],
            path: "clients/swift/Trials",
            swiftSettings: houseRules
        ),

        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: houseRules),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"], swiftSettings: houseRules),
        .testTarget(name: "JSONRPCTests", dependencies: ["JSON", "JSONRPC", "Platform"], swiftSettings: houseRules),
        .testTarget(
            name: "StoreTests",
            dependencies: ["JSON", "Platform", "PosternTesting", "Store"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "AccountsTests",
            dependencies: ["Accounts", "JSON", "Platform", "PosternTesting", "Store"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "ServiceTests",
            dependencies: ["Accounts", "JSON", "JSONRPC", "Platform", "PosternTesting", "Service", "Store"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "MailTests",
            dependencies: ["Accounts", "Mail", "PosternTesting", "Store", "Platform"],
            swiftSettings: houseRules
        ),
        .target(
            name: "PosternTesting",
            dependencies: ["JSON", "Store", "postern"],
            path: "Tests/PosternTesting",
            swiftSettings: houseRules
        ),
        .target(
            name: "PosternTranscripts",
            dependencies: ["JSON"],
            path: "Tests/PosternTranscripts",
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "ContractTests",
            dependencies: ["Accounts", "JSON", "PosternSchema", "PosternTesting", "PosternTranscripts"],
            exclude: ["Resources"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Accounts", "JSON", "JSONRPC", "PosternTesting", "Store"],
            exclude: ["Resources"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "PosternClientTests",
            dependencies: [
                "JSON", "PosternClient", "PosternClientExample", "PosternClientTrials", "PosternTesting",
                "PosternTranscripts", "Platform",
            ],
            path: "clients/swift/Tests/PosternClientTests",
            exclude: ["Fakes"],
            swiftSettings: houseRules
        ),
    ],
    swiftLanguageModes: [.v6]
)
