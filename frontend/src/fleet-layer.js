import { ORIGIN } from "./fleet.js";
import { palette, rgb } from "./palette.js";

const ARROWS_FROM = 9; // zoom; below it a heading cannot be told from a dot

const VERTEX = `#version 300 es
uniform mat4 uMatrix;
uniform float uBlend;
uniform float uSize;
uniform vec3 uColours[5];
uniform int uSelected;
uniform bool uArrow;
in vec2 aFrom;
in vec2 aTo;
in uvec4 aLook; // state, course, hidden, unused
out vec3 vColour;
out vec2 vTurn;
flat out float vArrow;
flat out float vSize;
void main() {
  int state = int(aLook.x);
  bool selected = gl_VertexID == uSelected;
  gl_Position = uMatrix * vec4(mix(aFrom, aTo, uBlend), 0.0, 1.0);
  if (state == 0 || (aLook.z != 0u && !selected)) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  bool alarm = state == 3;
  float size = uSize * (alarm ? 1.22 : state == 4 ? 0.82 : 1.0) * (selected ? 1.45 : 1.0);
  gl_PointSize = size;
  vSize = size;
  vArrow = (state == 1 || alarm) && uArrow ? 1.0 : 0.0;
  vColour = uColours[state];
  float angle = float(aLook.y) * 0.02454369260617026;
  vTurn = vec2(cos(angle), sin(angle));
}`;

// A disc with a rim; for moving vehicles an arrow head that points along the course.
const FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 uRim;
in vec3 vColour;
in vec2 vTurn;
flat in float vArrow;
flat in float vSize;
out vec4 colour;
float arrow(vec2 p) {
  p.x = abs(p.x);
  float side = dot(p - vec2(0.0, -0.86), normalize(vec2(1.5, -0.62)));
  float back = dot(p - vec2(0.0, 0.36), normalize(vec2(-0.52, 0.95)));
  return max(side, back);
}
void main() {
  vec2 p = (gl_PointCoord - 0.5) * 2.0;
  float pixel = 2.0 / vSize;
  float shape;
  if (vArrow > 0.5) {
    vec2 q = vec2(p.x * vTurn.x + p.y * vTurn.y, -p.x * vTurn.y + p.y * vTurn.x);
    shape = arrow(q);
  } else {
    shape = length(p) - 0.62;
  }
  float rim = 1.0 - smoothstep(1.4 * pixel, 2.4 * pixel, shape);
  float fill = 1.0 - smoothstep(-0.5 * pixel, 0.5 * pixel, shape);
  if (rim < 0.01) discard;
  colour = vec4(mix(uRim, vColour, fill) * rim, rim);
}`;

function compile(gl, kind, source) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

/** The fleet as one MapLibre custom layer: a point a vehicle, all of them in one draw call. */
export class FleetLayer {
  id = "fleet";
  type = "custom";
  renderingMode = "2d";

  constructor(fleet) {
    this.fleet = fleet;
    this.hidden = new Uint8Array(0);
    this.blend = 1;
    this.selected = -1;
    this.look = new Uint8Array(0);
    this.stale = true;
  }

  /** Say that the fleet's columns or `hidden` changed. */
  touch() {
    this.stale = true;
  }

  size(zoom) {
    if (zoom < 9) return zoom < 7 ? 13 : 15;
    return Math.min(34, 18 + Math.max(0, zoom - 10) * 3.2);
  }

  onAdd(map, gl) {
    this.map = map;
    const program = gl.createProgram();
    gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
    gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    this.program = program;
    this.at = Object.fromEntries(["uMatrix", "uBlend", "uSize", "uColours", "uSelected", "uArrow", "uRim"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.buffers = {};
    for (const name of ["aFrom", "aTo", "aLook"]) {
      this.buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      if (name === "aLook") gl.vertexAttribIPointer(place, 4, gl.UNSIGNED_BYTE, 0, 0);
      else gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, 0);
    }
    gl.bindVertexArray(null);
    this.stale = true;
  }

  onRemove(_map, gl) {
    gl.deleteProgram(this.program);
    gl.deleteVertexArray(this.array);
    for (const buffer of Object.values(this.buffers)) gl.deleteBuffer(buffer);
  }

  #upload(gl) {
    const { fleet, hidden } = this;
    if (this.look.length !== 4 * fleet.n) this.look = new Uint8Array(4 * fleet.n);
    for (let i = 0, j = 0; i < fleet.n; i++, j += 4) {
      this.look[j] = fleet.state[i];
      this.look[j + 1] = fleet.course[i];
      this.look[j + 2] = hidden[i];
    }
    for (const [name, data] of [["aFrom", fleet.from], ["aTo", fleet.to], ["aLook", this.look]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    }
    this.stale = false;
  }

  render(gl, input) {
    if (!this.fleet.n) return;
    gl.useProgram(this.program);
    gl.bindVertexArray(this.array);
    if (this.stale) this.#upload(gl);
    // The origin moves into the matrix in double precision; the points stay small and exact.
    const matrix = Array.from(input.defaultProjectionData.mainMatrix);
    for (let i = 0; i < 4; i++) matrix[12 + i] += matrix[i] * ORIGIN.x + matrix[4 + i] * ORIGIN.y;
    const colours = palette();
    gl.uniformMatrix4fv(this.at.uMatrix, false, new Float32Array(matrix));
    gl.uniform1f(this.at.uBlend, this.blend);
    gl.uniform1f(this.at.uSize, this.size(this.map.getZoom()) * devicePixelRatio);
    gl.uniform3fv(this.at.uColours, new Float32Array(colours.states.flatMap(rgb)));
    gl.uniform3fv(this.at.uRim, rgb(colours.ring));
    gl.uniform1i(this.at.uSelected, this.selected);
    gl.uniform1i(this.at.uArrow, this.map.getZoom() >= ARROWS_FROM ? 1 : 0);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.POINTS, 0, this.fleet.n);
    gl.bindVertexArray(null);
  }
}
