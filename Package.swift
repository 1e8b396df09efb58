// swift-tools-version: 6.2
import PackageDescription

/// The Swift settings of every target: `any` is written for existential types, imports are internal by default, and a
/// member of a module is only visible in files that import the module.
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

        .target(name: "Platform", dependencies: ["CLinux"], swiftSettings: houseRules),
        .target(name: "JSON", dependencies: ["Platform"], swiftSettings: houseRules),
        .target(name: "JSONRPC", dependencies: ["JSON", "Platform"], swiftSettings: houseRules),
        .target(name: "Store", dependencies: ["CLinux", "JSON", "Platform"], swiftSettings: houseRules),
        .target(name: "Accounts", dependencies: ["CSodium", "JSON", "Platform", "Store"], swiftSettings: houseRules),
        .target(
            name: "Mail",
            dependencies: ["Accounts", "CSodium", "Store", "Platform"],
            resources: [.embedInCode("Templates")],
            swiftSettings: houseRules
        ),
        .target(name: "Service", dependencies: ["Accounts", "JSON", "JSONRPC", "Store"], swiftSettings: houseRules),
        .executableTarget(
            name: "postern",
            dependencies: ["Accounts", "CLinux", "JSON", "JSONRPC", "Mail", "Service", "Store", "Platform"],
            swiftSettings: houseRules
        ),
        .executableTarget(name: "PosternSchema", dependencies: ["JSON"], swiftSettings: houseRules),

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
            dependencies: ["JSON", "PosternTesting", "Store"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "AccountsTests",
            dependencies: ["Accounts", "JSON", "PosternTesting", "Store"],
            swiftSettings: houseRules
        ),
        .testTarget(
            name: "ServiceTests",
            dependencies: ["Accounts", "JSON", "JSONRPC", "PosternTesting", "Service", "Store"],
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
