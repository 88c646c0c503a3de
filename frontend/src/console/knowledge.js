import "./knowledge.css";
import "./knowledge-typed.js";
