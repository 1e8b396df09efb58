# Replays one transcript of schema/cases together with replay.bash, which makes the calls. For each step it writes the
# call, reads the outcome as JSON, and writes the faults of the outcome. It writes strings with a NUL behind each.
#
# $steps are the lines of the transcript, $params the params of each method by path, $results the result type of each
# method.
include "reply";
include "types";

# The value with each {{name}} replaced by the value kept under that name.
def filled($kept):
  if type == "string" then
    . as $text
    | ($kept | to_entries | map(select("{{\(.key)}}" == $text)) | first) as $whole
    | if $whole then $whole.value
      else reduce ($kept | to_entries[]) as $entry ($text;
        split("{{\($entry.key)}}") | join($entry.value | strings // ""))
      end
  elif type == "array" then map(filled($kept))
  elif type == "object" then map_values(filled($kept))
  else . end;

def patterns: {
  "<time>": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$",
  "<hex 32>": "^[0-9a-f]{32}$",
  "<hex 64>": "^[0-9a-f]{64}$",
  "<hex 128>": "^[0-9a-f]{128}$",
  "<uuid>": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
};

# Whether the value is what a transcript expects.
def matches($expected):
  if $expected == "<any>" then true
  elif $expected == "<integer>" then type == "number" and . == floor
  elif $expected == "<string>" then type == "string"
  elif ($expected | type) == "string" and patterns[$expected] then
    type == "string" and test(patterns[$expected])
  elif type == "array" and ($expected | type) == "array" then
    . as $array
    | length == ($expected | length)
      and all(range(length); . as $index | $array[$index] | matches($expected[$index]))
  elif type == "object" and ($expected | type) == "object" then
    . as $object
    | keys == ($expected | keys) and all(keys[]; . as $key | $object[$key] | matches($expected[$key]))
  else . == $expected end;

# The value that a `keep` selects from a reply.
def found($reply):
  . as $keep
  | (if type == "object" then .at else . end | split("/")[1:]) as $path
  | reduce $path[] as $name ($reply; if type == "array" then .[$name | tonumber] else .[$name]? end)
  | if ($keep | type) == "object" and $keep.match then match($keep.match).captures[0].string else . end;

# The params as words NAME=VALUE and NAME:=JSON; null if they do not match their kinds.
def words($kinds):
  def word($path):
    (if $path == "" then "json" else $kinds[$path] end) as $kind
    | if type == "object" and $kind == "json" and (length > 0 or $path == "") then
        to_entries[] | .key as $key | .value | word(if $path == "" then $key else "\($path).\($key)" end)
      elif $kind == "object" and type == "object" then "\($path):=\(tojson)"
      elif $kind and (. == null or . == {}) then "\($path):=\(tojson)"
      elif $kind == "string" and type == "string" and (explode | index(0) | not) then "\($path)=\(.)"
      elif $kind == "integer" and type == "number" and (tojson | test("^-?[0-9]+$")) then "\($path)=\(tojson)"
      else null end;
  if . == null then [] elif type != "object" then null
  else [word("")] | if all(. != null) then . else null end end;

# The value from an array that -A has filled: the inverse of `members` in lib/reply.jq.
def built($kind; $path; $array):
  def at($name): if $path == "" then $name else "\($path).\($name)" end;
  if ($kind | endswith("?")) then
    if $array[$path] then built($kind[:-1]; $path; $array) else null end
  elif ($kind | startswith("[")) then
    [range($array[$path] | tonumber) as $index | built($kind[1:-1]; at("\($index)"); $array)]
  elif $kind == "integer" or $kind == "epoch" then $array[$path] | tonumber
  elif $kind == "boolean" then $array[$path] == "true"
  elif $kind == "string" or $kind == "time" then $array[$path]
  elif $kind == "object" then $array[$path] | fromjson
  else
    types[$kind] | to_entries
    | map(
        (.key | rtrimstr("?")) as $name
        # An object has no entry of its own, only its properties have.
        | select(
            (.key | endswith("?") | not) or $array[at($name)]
            or ($array | keys | any(startswith(at($name) + "."))))
        | {($name): built(.value; at($name); $array)}
      )
    | add
  end;

# The reply in the format of a transcript, from the outcome that replay.bash reports.
def reply($method):
  if .error then {error: (.error | if .data == null then del(.data) else . end)}
  elif .array then {result: (.array as $array | built($results[$method]; ""; $array))}
  else {result} end;

# The faults of the error variables.
def error_faults:
  (.error.data // {}) as $data
  | (select(.slugs != ($data.errors // [])) | "slugs \(.slugs)"),
    (select(.slug != ($data.errors[0]? // "")) | "slug \(.slug)"),
    (select(.field != ($data.field // "")) | "field \(.field)"),
    (select(.retry_after != ($data.retry_after // "" | tostring)) | "retry_after \(.retry_after)");

# The call: with the method's table if the params match it, or else with raw params.
def instruction($line):
  .method as $method
  | (if $params[$method] then .params | words($params[$method]) else null end) as $words
  | if $words == null then ["raw", $line, $method, (.params | if . == null then "" else tojson end)]
    elif $results[$method] == "nothing" or $results[$method] == "object" then ["value", $line, $method] + $words
    else ["array", $line, $method] + $words end;

def strings: map(tostring) | ["\(length)"] + . | parts;

[$steps | to_entries[] | select(.value.send) | {line: (.key + 1), step: .value}
  | range(.step.repeat // 1) as $time | .] as $calls
| foreach range($calls | length * 2) as $turn ({kept: {}};
    $calls[$turn / 2 | floor] as {$line, $step}
    | .kept as $kept
    | if $turn % 2 == 0 then
        .send = ($step.send | filled($kept))
        | .out = (.send | instruction($line))
      else
        input as $said
        | ($said | reply($said.method)) as $reply
        | ($step.expect | filled($kept) | del(.jsonrpc, .id)) as $expected
        | .kept += ($step.keep // {} | map_values(found($reply)))
        | .out = [
            "judged",
            ([
              (select($reply | matches($expected) | not) | "got \($reply | tojson)"),
              ($said | select(.error) | error_faults),
              ((.kept | to_entries[] | select(.value == null)) | "nothing to keep as \(.key)")
            ] | join("; ")),
            ({case: $case, $line, reply: $reply} | tojson)
          ]
      end;
    .out | strings)
