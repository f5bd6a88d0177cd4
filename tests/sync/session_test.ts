import { inProcess } from "./channels.ts";
import { testScenarios } from "./scenarios.ts";

testScenarios("a pair in one process", inProcess);
